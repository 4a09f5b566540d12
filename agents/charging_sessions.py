"""Follows the topic ``charging-sessions`` and folds every record into the state of its session."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby

from faust.types import StreamT

from evcharge.application import Application
from evcharge.domain.quantities import SECOND_US
from evcharge.domain.session import Limits, advance
from evcharge.domain.session_record import SessionRecord
from evcharge.engine.chunk import Chunk
from evcharge.engine.step import Step
from evcharge.engine.table import StateTable
from evcharge.events.decode import decode_charging_sessions
from tables.charging_sessions import (
    PRESENT,
    SessionRow,
    decode_session,
    encode_session,
    index_key,
    open_key,
    record_blocks,
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

    @app.chunk_agent("charging-sessions", table)
    async def charging_sessions(chunks: StreamT[Chunk]) -> None:
        async for step in app.lane.steps(chunks, table):
            records = step.decode(decode)
            step.count("records_ahead", sum(limits.is_ahead(record) for _, record in records))
            records.sort(key=_session)
            for session, of_session in groupby(records, key=_session):
                step.apply(list(of_session), partial(_advance, step, *session, limits))


def _session(record: tuple[object, SessionRecord]) -> tuple[str, str]:
    return record[1].station_id, record[1].session_id


def _advance(
    step: Step,
    station_id: str,
    session_id: str,
    limits: Limits,
    records: Sequence[SessionRecord],
) -> None:
    key = session_key(station_id, session_id)
    row = step.state(key, decode_session)
    before, blocks = (row.state, row.blocks) if row else (None, 0)
    after, appended = advance(
        before, records, lambda: list(stored_records(step, station_id, session_id, blocks)), limits
    )
    if before is not None and after == before and not appended:
        return
    for block, value in record_blocks(station_id, session_id, blocks, appended):
        step.put(block, value)
        blocks += 1
    step.put_state(key, SessionRow(blocks, after), encode_session)
    if before is None:
        step.put(index_key(session_id, station_id), PRESENT)
    if after.is_open != (before is not None and before.is_open):
        step.put(open_key(station_id, session_id), PRESENT if after.is_open else None)
