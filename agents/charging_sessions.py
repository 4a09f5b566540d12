"""Follows the topic ``charging-sessions``: folds every record into its session, bills completed ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from faust.types import StreamT

from evcharge.application import Application
from evcharge.billing.books import Books, OpenBooks, completed_at
from evcharge.domain.billing.bill import Session
from evcharge.domain.billing.settle import settle
from evcharge.domain.billing.standing import settled_lifecycle
from evcharge.domain.session import (
    Completion,
    HeldReason,
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
from tables.charging_sessions import (
    FORGOTTEN,
    SessionRow,
    block_keys,
    decode_kept,
    records_of,
    session_key,
    stored_records,
)
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
    unbilled: list[_Unbilled] = []
    advance_session = partial(_advance, opened, unbilled)
    for session, records in sessions:
        step.apply(advance_session, session, records)
    # Together, in two rounds: whatever runs seldom runs at half its speed.
    stored = _stored(step, unbilled)
    for each in unbilled:
        try:
            _bill(opened, step, each, next(stored) if each.completion else None)
        except Exception:  # noqa: BLE001 - a bug, of which the step finds the record
            step.apply(partial(_advance, opened, None), each.session, each.records)
    opened.close()
    forget_due(step, opened.closed, step.now_us, books.limits)


class _Unbilled(NamedTuple):
    """A session that took up records, whose bill follows."""

    session: SessionId
    row: SessionRow | None
    before: SessionState | None
    after: SessionState
    records: Sequence[SessionRecord]
    appended: Sequence[SessionRecord]
    completion: Completion | None


_AHEAD = HeldReason.TIMESTAMP_AHEAD.bit
_session = attrgetter("station_id", "session_id")


def _advance(
    books: OpenBooks,
    unbilled: list[_Unbilled] | None,
    step: Step,
    session: SessionId,
    records: Sequence[SessionRecord],
) -> None:
    """Take up a session's records; if it is to be billed, do so at once or add it to ``unbilled``."""
    limits = books.limits
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
            for late in records:
                step.apply(partial(_advance, books, None), session, [late])
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
    if account is None:
        if row is not None and row.unpriced:
            # It was completed before, whatever it is now.
            books.keep(session, row, after, appended, None, completed_us, unpriced=True)
            return
        if completion is None:
            keep_session(step, session, row, after, appended, None, completed_us)
            return
        if not books.is_billing:
            books.seal_unpriced(session, row, after, appended, completion)
            return
    to_bill = _Unbilled(session, row, before, after, records, appended, completion)
    if unbilled is None:
        _bill(books, step, to_bill)
    else:
        unbilled.append(to_bill)


def _stored(step: Step, unbilled: Sequence[_Unbilled]) -> Iterator[list[SessionRecord]]:
    """Return the stored records of each session that was completed, all read at once."""
    completed = [each for each in unbilled if each.completion]
    keys = [key for each in completed if each.row for key in block_keys(*each.session, each.row)]
    blocks = iter(step.get_many(keys)) if keys else iter(())
    return iter(
        [
            records_of(*each.session, each.row, list(islice(blocks, each.row.blocks)))
            if each.row
            else []
            for each in completed
        ]
    )


def _bill(
    books: OpenBooks,
    step: Step,
    unbilled: _Unbilled,
    stored: Sequence[SessionRecord] | None = None,
) -> None:
    """Bill a session; ``stored`` are its stored records, if they are at hand."""
    (station_id, session_id), row, before, after, records, appended, completion = unbilled

    def all_records() -> Sequence[SessionRecord]:
        known = stored_records(step, station_id, session_id, row) if stored is None else stored
        return [*known, *appended]

    session = Session(station_id, session_id, after, all_records, books.limits)
    account = row.account if row else None
    settled = settle(books.desk, session, account, completion, before, records)
    completed_us = completed_at(row, settled)
    books.write(unbilled.session, row, after, appended, settled, completed_us)


def _refuse(step: Step, records: Sequence[SessionRecord]) -> None:
    for record in records:
        detail = f"session {record.session_id} was closed so long ago that it is forgotten"
        step.refuse(record, Rejected(Reason.TOO_LATE, detail))
