"""Follows the topic ``charging-sessions``: folds every record into its session, bills completed ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import attrgetter

from faust.types import StreamT

from evcharge.application import Application
from evcharge.billing.books import Books, OpenBooks, completed_at
from evcharge.domain.billing.bill import Session
from evcharge.domain.billing.settle import settle
from evcharge.domain.billing.standing import settled_lifecycle
from evcharge.domain.session import (
    HeldReason,
    Limits,
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
from tables.charging_sessions import FORGOTTEN, decode_kept, session_key, stored_records
from tables.closed_sessions import SessionId, forget_due
from tables.kept_session import keep_session


def assemble_charging_sessions(app: Application, table: StateTable, books: Books) -> None:
    """Register the agent that writes ``table`` from what devices say."""
    decode = partial(decode_charging_sessions, max_bytes=app.settings.max_record_bytes)

    @app.chunk_agent("charging-sessions", table)
    async def charging_sessions(chunks: StreamT[Chunk]) -> None:
        async for step in app.lane.steps(chunks, table):
            assemble(step, step.decode(decode, _session), books)


def assemble(
    step: Step, sessions: Sequence[tuple[SessionId, Sequence[SessionRecord]]], books: Books
) -> None:
    """Take up the records of a step, by session; then forget sessions whose time has come."""
    opened = books.open(step)
    advance_session = partial(_advance, opened, books.limits)
    for session, records in sessions:
        step.apply(advance_session, session, records)
    forget_due(step, opened.closed, step.now_us, books.limits)


_AHEAD = HeldReason.TIMESTAMP_AHEAD.bit
_session = attrgetter("station_id", "session_id")


def _advance(
    books: OpenBooks,
    limits: Limits,
    step: Step,
    session: SessionId,
    records: Sequence[SessionRecord],
) -> None:
    station_id, session_id = session
    row = step.state(session_key(station_id, session_id), decode_kept)
    if row is FORGOTTEN:
        _refuse(step, records)
        return
    before, account = (row.state, row.account) if row else (None, None)
    if before is not None and not before.revision:
        before = None

    def stored() -> Sequence[SessionRecord]:
        return stored_records(step, station_id, session_id, row)

    if account is None or not account.is_settled:
        (after, appended), completion = advance_unsealed(before, records, stored, limits)
    else:
        (after, appended), completion = advance(before, records, stored, limits), None
    completed_us = row.completed_us if row else None
    if (after.ended_us is not None or completed_us is not None) and may_be_too_late(
        before, records, after, limits.memory_us, completed_us
    ):
        if len(records) > 1:
            again = partial(_advance, books, limits)
            for late in records:
                step.apply(again, session, [late])
            return
        if row and is_forgotten(
            row.state,
            completed_us,
            records[0].ingest_us,
            limits.memory_us,
            settled_lifecycle(row.state, account),
        ):
            _refuse(step, records)
            return
    if after.reasons & _AHEAD:
        step.count("records_ahead", sum(map(limits.is_ahead, records)))
    if not appended and after == before:
        return
    if completion is None and account is None:
        keep_session(step, session, row, after, appended, None, completed_us)
        return
    billed = Session(station_id, session_id, after, lambda: [*stored(), *appended], limits)
    settled = settle(books.desk, billed, account, completion, before, records)
    completed_us = completed_at(row, settled.account, completion)
    books.write(session, row, after, appended, settled, completed_us)


def _refuse(step: Step, records: Sequence[SessionRecord]) -> None:
    for record in records:
        detail = f"session {record.session_id} was closed so long ago that it is forgotten"
        step.refuse(record, Rejected(Reason.TOO_LATE, detail))
