r"""The rows of the table ``charging-sessions`` by which those sessions are found that wait for a person.

=========  ==============================  ====================================================
row        key                             value
=========  ==============================  ====================================================
held       ``H`` station \0 session        ``[1]``: the session is held
=========  ==============================  ====================================================

Few of very many sessions are held: without these rows a list of them would read all.
Written with the session's own row (``kept_session.py``).
"""

from __future__ import annotations

from collections.abc import Iterator

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.standing import settled_lifecycle
from evcharge.domain.session import Lifecycle, SessionState
from evcharge.storage.partition_store import PartitionStore
from tables.closed_sessions import SessionId


def held_key(station_id: str, session_id: str) -> bytes:
    """Return the key of the row that a session has while it is held."""
    return f"H{station_id}\0{session_id}".encode()


def is_held(state: SessionState, account: Account | None) -> bool:
    """Whether a session waits for a person."""
    # Nearly always there is neither a reason nor an account.
    return bool(state.reasons or account) and (settled_lifecycle(state, account) is Lifecycle.HELD)


def held_sessions(store: PartitionStore, after: SessionId | None = None) -> Iterator[SessionId]:
    """Yield the sessions that are held, sorted by station and session, from behind ``after`` on.

    A row can outlive its deletion, for compaction forgets what was deleted: whoever reads looks at the
    session too.
    """
    start = None if after is None else held_key(*after)
    for key, _ in store.scan(b"H", start):
        station_id, _, session_id = key[1:].decode().partition("\0")
        yield station_id, session_id
