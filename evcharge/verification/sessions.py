"""What the rows of the sessions have to be: each session is the fold of the set of its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from evcharge.domain.session import Lifecycle, Limits, SessionState, fold
from evcharge.domain.session.order import END_RANK, distinct
from evcharge.domain.session_record import SessionRecord
from evcharge.verification.report import Report, changed_fields
from evcharge.verification.rows import Rows
from tables.charging_sessions import (
    PRESENT,
    SessionRow,
    block_key,
    decode_records,
    decode_session,
    decode_tail,
    index_key,
    open_key,
    session_key,
)
from tables.closed_sessions import (
    QUEUE_KEY,
    Queue,
    completed_key,
    decode_completed,
    decode_queue,
)

SessionId: TypeAlias = tuple[str, str]
"""Station and session: what tells sessions apart."""


def by_session(records: Iterable[SessionRecord]) -> dict[SessionId, list[SessionRecord]]:
    """Group records by their session, in their order."""
    sessions: dict[SessionId, list[SessionRecord]] = {}
    for record in records:
        sessions.setdefault((record.station_id, record.session_id), []).append(record)
    return sessions


class Checked(NamedTuple):
    """What is known of the sessions after their rows were compared."""

    states: dict[SessionId, SessionState]
    """Each session as it has to be."""
    sealed: dict[SessionId, int | None]
    """Which revision was sealed, as the rows say."""


def check_sessions(
    where: str,
    rows: Rows,
    sessions: Mapping[SessionId, Sequence[SessionRecord]],
    limits: Limits,
    report: Report,
) -> Checked:
    """Compare a partition's rows with the records."""
    checked = Checked({}, {})
    queued = _queued(where, rows, report)
    now_us = max((each.ingest_us for records in sessions.values() for each in records), default=0)
    for session, records in sessions.items():
        report.compared["sessions"] += 1
        if rows.take(session_key(*session)) == PRESENT:
            _check_marker(where, session, records, now_us, limits, report)
            continue
        state = checked.states[session] = fold(records, limits)
        if state.lifecycle is Lifecycle.COMPLETED and session not in queued:
            report.differs(where, "missing", f"session {session[1]} of {session[0]}: in the queue")
        row = _check_session(where, rows, session, records, state, report)
        if row is not None:
            checked.sealed[session] = row.account.revision if row.account else None
    return checked


def _queued(where: str, rows: Rows, report: Report) -> set[SessionId]:
    """Return the sessions that wait to be forgotten."""
    value = rows.take(QUEUE_KEY)
    queue = Queue() if value is None else decode_queue(value)
    queued: set[SessionId] = set()
    for number in range(queue.first, queue.behind):
        completed = rows.take(completed_key(number))
        if completed is None:
            report.differs(where, "missing", f"row {number} of completed sessions")
        else:
            queued.update(decode_completed(completed).sessions)
    return queued


def _check_marker(
    where: str,
    session: SessionId,
    records: Sequence[SessionRecord],
    now_us: int,
    limits: Limits,
    report: Report,
) -> None:
    """Check that a session with a marker can have been forgotten, ``now_us`` being the latest ingest."""
    ends = [record.ingest_us for record in records if record.kind >= END_RANK]
    if not ends or now_us < min(ends) + limits.memory_us:
        report.differs(
            where, "missing", f"session {session[1]} of {session[0]}: forgotten too soon"
        )


def _check_session(
    where: str,
    rows: Rows,
    session: SessionId,
    records: Sequence[SessionRecord],
    state: SessionState,
    report: Report,
) -> SessionRow | None:
    station_id, session_id = session
    name = f"session {session_id} of {station_id}"
    if rows.take(index_key(session_id, station_id)) != PRESENT:
        report.differs(where, "missing", f"{name}: its index row")
    if (rows.take(open_key(station_id, session_id)) == PRESENT) != state.is_open:
        what = "open without a row that says so" if state.is_open else "ended, but a row says open"
        report.differs(where, "changed", f"{name}: {what}")
    value = rows.take(session_key(station_id, session_id))
    if value is None:
        report.differs(where, "missing", name)
        return None
    row = decode_session(value)
    if row.state != state:
        report.differs(where, "changed", f"{name}: {changed_fields(state, row.state)}")
    kept: list[SessionRecord] = []
    for number in range(row.blocks):
        block = rows.take(block_key(station_id, session_id, number))
        if block is None:
            report.differs(where, "missing", f"{name}: block {number} of its records")
        else:
            kept += decode_records(station_id, session_id, block)
    kept += decode_tail(station_id, session_id, row)
    _check_kept(where, name, kept, records, state, report)
    return row


def _check_kept(
    where: str,
    name: str,
    kept: Sequence[SessionRecord],
    records: Sequence[SessionRecord],
    state: SessionState,
    report: Report,
) -> None:
    """Compare the records kept with those that arrived.

    Of equal records the first appearance counts. It may have been found after another one (a rerouted
    record): then both are kept. Of a session with too many records only some are.
    """
    surplus = set(kept) - set(records)
    if surplus:
        report.differs(where, "surplus", f"{name}: records kept that never came: {surplus}")
    if len(set(kept)) < len(kept):
        report.differs(where, "repeated", f"{name}: a record is kept twice")
    if state.witnesses is None:
        missing = set(distinct(records).values()) - set(kept)
        if missing:
            report.differs(where, "missing", f"{name}: records not kept: {missing}")
