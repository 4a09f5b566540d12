r"""The rows of the table ``charging-sessions`` by which closed sessions are found again to be forgotten.

=========  ==============================  ====================================================
row        key                             value
=========  ==============================  ====================================================
queue      ``Q``                           ``[1, first, behind, first_us]``: the numbers of the
                                           queue's rows, and the ingest time of the first one
completed  ``D`` n                         ``[1, entered_us, [[station, session], …]]``: sessions
                                           that one step completed, and its ingest time
=========  ==============================  ====================================================

A queue, because sessions are forgotten in about the order in which they were completed: a step that
completes any adds a row for all of them, and a step looks at one cached row to know that nothing is due.
Only writers: those of the sessions (``charging_sessions.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.standing import settled_lifecycle
from evcharge.domain.session.forgetting import GRACE_US, is_forgotten
from evcharge.domain.session.limits import Limits
from evcharge.domain.session.machine import is_forgotten_by_deadline
from tables.charging_sessions import (
    FORGOTTEN,
    PRESENT,
    Forgotten,
    SessionRow,
    block_key,
    decode_kept,
    index_key,
    session_key,
)

QUEUE_KEY = b"Q"

SESSIONS_A_ROW = 100

ROWS_A_STEP = 500
"""Rows that a step deletes to forget sessions, and :data:`ROWS_A_SESSION` more for each that it
completes: a backlog of due sessions never holds up a step for long, and never grows."""

ROWS_A_SESSION = 50

SessionId: TypeAlias = tuple[str, str]
"""Station and session."""

S = TypeVar("S")


class Rows(Protocol):
    """What a step offers."""

    def get(self, key: bytes) -> bytes | None: ...
    def put(self, key: bytes, value: bytes | None) -> None: ...
    def state(self, key: bytes, decode: Callable[[bytes], S]) -> S | None: ...
    def put_state(self, key: bytes, state: S, encode: Callable[[S], bytes]) -> None: ...


class Queue(msgspec.Struct, array_like=True, tag=1, frozen=True, gc=False):
    """Which rows of completed sessions there are."""

    first: int = 0
    """Number of the first one."""
    behind: int = 0
    """Number of the next one to be written."""
    first_us: int = 0
    """Ingest time of the step that wrote the first one."""


class Completed(msgspec.Struct, array_like=True, tag=1, frozen=True, gc=False):
    """Sessions that one step completed."""

    entered_us: int
    """Ingest time of the step."""
    sessions: list[SessionId]


_encode: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode
decode_queue = msgspec.msgpack.Decoder(Queue).decode
decode_completed = msgspec.msgpack.Decoder(Completed).decode
_NO_ROWS = Queue()


def completed_key(number: int) -> bytes:
    """Return the key of a row of completed sessions."""
    return b"D" + number.to_bytes(8, "big")


def forget_due(
    rows: Rows,
    completed: Sequence[SessionId],
    now_us: int,
    limits: Limits,
    on_forgotten: Callable[[SessionId, Account], None],
) -> int:
    """Note the sessions that a step completed, and forget some of those that are due at an ingest time.

    Returns how many were forgotten. One that is held meanwhile is not: it comes to the queue again when
    it is completed. One whose time is yet to come waits for it here: it was closed later than the step
    that entered it, by a decision that was read long before or after the records that came with it.
    Nothing is deleted that a record in time could still meet
    (:data:`~evcharge.domain.session.forgetting.GRACE_US`). ``on_forgotten`` is told of the accounts that
    go with their sessions.
    """
    before = queue = rows.state(QUEUE_KEY, decode_queue) or _NO_ROWS
    due_us = now_us - limits.memory_us - GRACE_US
    if not completed and (queue.first == queue.behind or queue.first_us > due_us):
        return 0
    queue = _entered(rows, queue, completed, now_us)
    budget = ROWS_A_STEP + ROWS_A_SESSION * len(completed)
    forgotten = 0
    again: list[SessionId] = []
    while budget > 0 and queue.first < queue.behind and queue.first_us <= due_us:
        key = completed_key(queue.first)
        value = rows.get(key)
        sessions = [] if value is None else decode_completed(value).sessions
        taken = 0
        for taken, session in enumerate(sessions, 1):  # noqa: B007
            deleted = _forget(rows, session, now_us - GRACE_US, limits, on_forgotten, again)
            forgotten += deleted > 0
            budget -= 1 + deleted
            if budget <= 0:
                break
        if taken < len(sessions):
            rows.put(key, _encode(Completed(queue.first_us, sessions[taken:])))
            break
        rows.put(key, None)
        queue = _without_first(rows, queue)
    queue = _entered(rows, queue, again, now_us)
    if queue != before:
        rows.put_state(QUEUE_KEY, queue, _encode)
    return forgotten


def enter_closed(rows: Rows, closed: Sequence[SessionId], now_us: int) -> None:
    """Note the sessions that a step closed, and forget none."""
    if closed:
        queue = rows.state(QUEUE_KEY, decode_queue) or _NO_ROWS
        rows.put_state(QUEUE_KEY, _entered(rows, queue, closed, now_us), _encode)


def _entered(rows: Rows, queue: Queue, completed: Sequence[SessionId], now_us: int) -> Queue:
    first, behind, first_us = queue.first, queue.behind, queue.first_us
    for start in range(0, len(completed), SESSIONS_A_ROW):
        some = list(completed[start : start + SESSIONS_A_ROW])
        rows.put(completed_key(behind), _encode(Completed(now_us, some)))
        first_us = now_us if first == behind else first_us
        behind += 1
    return Queue(first, behind, first_us)


def _without_first(rows: Rows, queue: Queue) -> Queue:
    first = queue.first + 1
    value = rows.get(completed_key(first)) if first < queue.behind else None
    first_us = 0 if value is None else decode_completed(value).entered_us
    return Queue(first, queue.behind, first_us)


def _forget(
    rows: Rows,
    session: SessionId,
    now_us: int,
    limits: Limits,
    on_forgotten: Callable[[SessionId, Account], None],
    again: list[SessionId],
) -> int:
    """Replace a session's rows by its marker if it is forgotten; return how many rows that took.

    It is added to ``again`` if that is only a matter of time.
    """
    key = session_key(*session)
    row: SessionRow | Forgotten | None = rows.state(key, decode_kept)
    if not isinstance(row, SessionRow):
        return 0
    lifecycle = settled_lifecycle(row.state, row.account)
    if not is_forgotten(row.state, row.completed_us, now_us, limits.memory_us, lifecycle):
        if is_forgotten_by_deadline(lifecycle):
            again.append(session)
        return 0
    if row.account is not None:
        on_forgotten(session, row.account)
    for number in range(row.blocks):
        rows.put(block_key(*session, number), None)
    station_id, session_id = session
    rows.put(index_key(session_id, station_id), None)
    rows.put_state(key, FORGOTTEN, lambda _: PRESENT)
    return row.blocks + 2
