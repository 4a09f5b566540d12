"""Follows the topic ``charging-sessions``: folds every record into its session, seals completed ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import attrgetter

from faust.types import StreamT

from evcharge.application import Application
from evcharge.domain.quantities import SECOND_US
from evcharge.domain.session import HeldReason, Limits, advance, advance_unsealed
from evcharge.domain.session_record import SessionRecord
from evcharge.engine.chunk import Chunk
from evcharge.engine.step import Step
from evcharge.engine.table import StateTable
from evcharge.events.decode import decode_charging_sessions
from evcharge.events.sealed_session import encode_sealed_session
from tables.charging_sessions import (
    PRESENT,
    SessionRow,
    append_records,
    block_key,
    decode_session,
    encode_session,
    index_key,
    open_key,
    session_key,
    stored_records,
)


def assemble_charging_sessions(app: Application, table: StateTable) -> None:
    """Register the agent that writes ``table``."""
    decode = partial(decode_charging_sessions, max_bytes=app.settings.max_record_bytes)
    limits = Limits(
        max_session_us=app.settings.max_session_s * SECOND_US,
        max_readings=app.settings.max_session_readings,
    )

    assemble = partial(_advance, app.settings.topic("sealed-sessions"), limits)

    @app.chunk_agent("charging-sessions", table)
    async def charging_sessions(chunks: StreamT[Chunk]) -> None:
        async for step in app.lane.steps(chunks, table):
            for session, records in step.decode(decode, _session):
                step.apply(assemble, session, records)


_AHEAD = HeldReason.TIMESTAMP_AHEAD.bit
_session = attrgetter("station_id", "session_id")


def _advance(
    sealed_sessions: str,
    limits: Limits,
    step: Step,
    session: tuple[str, str],
    records: Sequence[SessionRecord],
) -> None:
    station_id, session_id = session
    key = session_key(station_id, session_id)
    row = step.state(key, decode_session)
    before, sealed = (row.state, row.sealed) if row else (None, None)

    def stored() -> Sequence[SessionRecord]:
        return stored_records(step, station_id, session_id, row)

    if sealed is None:
        (after, appended), completion = advance_unsealed(before, records, stored, limits)
    else:
        (after, appended), completion = advance(before, records, stored, limits), None
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
    step.put_state(key, SessionRow(blocks, after, waiting, tail, sealed), encode_session)
    if before is None:
        step.put(index_key(session_id, station_id), PRESENT)
    was_open = before is not None and before.ended_us is None
    if (is_open := after.ended_us is None) != was_open:
        step.put(open_key(station_id, session_id), PRESENT if is_open else None)
