r"""The rows of the table ``charging-sessions`` by which those sessions are found that wait for a person.

=========  ==============================  ====================================================
row        key                             value
=========  ==============================  ====================================================
held       ``H`` station \0 session        ``[1]``: the session is held
=========  ==============================  ====================================================

Few of very many sessions are held: without these rows a list of them would read all.
Written in the steps that write the sessions (``charging_sessions.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.standing import standing_of
from evcharge.domain.session import Lifecycle, SessionState
from evcharge.storage.partition_store import PartitionStore
from tables.charging_sessions import PRESENT
from tables.closed_sessions import SessionId


class Rows(Protocol):
    """What a step offers."""

    def put(self, key: bytes, value: bytes | None) -> None: ...


def held_key(station_id: str, session_id: str) -> bytes:
    """Return the key of the row that a session has while it is held."""
    return f"H{station_id}\0{session_id}".encode()


def is_held(state: SessionState | None, account: Account | None) -> bool:
    """Whether a session is held; None: it has no record yet."""
    if state is None or not (state.reasons or account):  # nearly always
        return False
    return standing_of(state, account).standing is Lifecycle.HELD


def note_held(rows: Rows, session: SessionId, *, before: bool, after: bool) -> None:
    """Keep the row of a session that was, or was not, held before a step, and is or is not now."""
    if before is not after:
        rows.put(held_key(*session), PRESENT if after else None)


def held_sessions(store: PartitionStore, after: SessionId | None = None) -> Iterator[SessionId]:
    """Yield the sessions that are held, sorted by station and session, from behind ``after`` on.

    A row can outlive its deletion, for compaction forgets what was deleted: whoever reads looks at the
    session too.
    """
    start = None if after is None else held_key(*after)
    for key, _ in store.scan(b"H", start):
        station_id, _, session_id = key[1:].decode().partition("\0")
        yield station_id, session_id
