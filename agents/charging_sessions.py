"""Follows the topic ``charging-sessions``: folds every record into its session, seals completed ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import attrgetter

from faust.types import StreamT

from evcharge.application import Application
from evcharge.domain.session import (
    HeldReason,
    Lifecycle,
    Limits,
    SessionState,
    advance,
    advance_unsealed,
)
from evcharge.domain.session.forgetting import is_forgotten, may_be_too_late
from evcharge.domain.session_record import SessionRecord
from evcharge.engine.chunk import Chunk
from evcharge.engine.step import Step
from evcharge.engine.table import StateTable
from evcharge.events.decode import decode_charging_sessions
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.sealed_session import encode_sealed_session
from tables.charging_sessions import (
    FORGOTTEN,
    PRESENT,
    SessionRow,
    append_records,
    block_key,
    decode_kept,
    encode_session,
    index_key,
    open_key,
    session_key,
    stored_records,
)
from tables.closed_sessions import SessionId, forget_due


def assemble_charging_sessions(app: Application, table: StateTable) -> None:
    """Register the agent that writes ``table``."""
    decode = partial(decode_charging_sessions, max_bytes=app.settings.max_record_bytes)
    limits = Limits.of(app.settings)
    sealed_sessions = app.settings.topic("sealed-sessions")

    @app.chunk_agent("charging-sessions", table)
    async def charging_sessions(chunks: StreamT[Chunk]) -> None:
        async for step in app.lane.steps(chunks, table):
            assemble(step, step.decode(decode, _session), sealed_sessions, limits)


def assemble(
    step: Step,
    sessions: Sequence[tuple[SessionId, Sequence[SessionRecord]]],
    sealed_sessions: str,
    limits: Limits,
) -> None:
    """Take up the records of a step, by session; then forget sessions whose time has come."""
    completed: list[SessionId] = []
    advance_session = partial(_advance, sealed_sessions, limits, completed)
    for session, records in sessions:
        step.apply(advance_session, session, records)
    forget_due(step, completed, step.now_us, limits)


_AHEAD = HeldReason.TIMESTAMP_AHEAD.bit
_session = attrgetter("station_id", "session_id")


def _advance(
    sealed_sessions: str,
    limits: Limits,
    completed: list[SessionId],
    step: Step,
    session: SessionId,
    records: Sequence[SessionRecord],
) -> None:
    station_id, session_id = session
    key = session_key(station_id, session_id)
    row = step.state(key, decode_kept)
    if row is FORGOTTEN:
        _refuse(step, records)
        return
    before, sealed = (row.state, row.sealed) if row else (None, None)

    def stored() -> Sequence[SessionRecord]:
        return stored_records(step, station_id, session_id, row)

    if sealed is None:
        (after, appended), completion = advance_unsealed(before, records, stored, limits)
    else:
        (after, appended), completion = advance(before, records, stored, limits), None
    is_open = after.ended_us is None
    if not is_open and may_be_too_late(before, records, after, limits.memory_us):
        if len(records) > 1:
            again = partial(_advance, sealed_sessions, limits, completed)
            for late in records:
                step.apply(again, session, [late])
            return
        now_us = records[0].ingest_us
        if row and is_forgotten(row.state, row.completed_us, now_us, limits.memory_us):
            _refuse(step, records)
            return
    if after.reasons & _AHEAD:
        step.count("records_ahead", sum(map(limits.is_ahead, records)))
    if not appended and after == before:
        return
    if completion is not None:
        record = encode_sealed_session(station_id, session_id, completion)
        step.emit(sealed_sessions, station_id.encode(), record)
        sealed = completion.state.revision
    blocks, waiting, tail = (row.blocks, row.waiting, row.tail) if row else (0, 0, b"")
    waiting, tail, full = append_records(waiting, tail, appended)
    for block in full:
        step.put(block_key(station_id, session_id, blocks), block)
        blocks += 1
    completed_us = row.completed_us if row else None
    if completion is not None and completion.completed_us != completion.state.closed_ingest_us:
        completed_us = completion.completed_us
    changed = SessionRow(blocks, after, waiting, tail, sealed, completed_us)
    step.put_state(key, changed, encode_session)
    if before is None:
        step.put(index_key(session_id, station_id), PRESENT)
    was_open = before is not None and before.ended_us is None
    if is_open != was_open:
        step.put(open_key(station_id, session_id), PRESENT if is_open else None)
    if completion is not None or (sealed and _is_completed(after) and not _is_completed(before)):
        completed.append(session)


def _is_completed(state: SessionState | None) -> bool:
    return state is not None and state.lifecycle is Lifecycle.COMPLETED


def _refuse(step: Step, records: Sequence[SessionRecord]) -> None:
    for record in records:
        detail = f"session {record.session_id} was closed so long ago that it is forgotten"
        step.refuse(record, Rejected(Reason.TOO_LATE, detail))
