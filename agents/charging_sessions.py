"""Follows the topic ``charging-sessions``: folds every record into its session, bills completed ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from faust.types import StreamT

from evcharge.application import Application
from evcharge.billing.books import Books, OpenBooks, Prepared, completed_at
from evcharge.billing.waiting import forget_waiting, forgotten
from evcharge.domain.billing.bill import Session
from evcharge.domain.billing.due import until_due
from evcharge.domain.billing.settle import Settled, settle
from evcharge.domain.billing.standing import settled_lifecycle
from evcharge.domain.session import (
    Completion,
    HeldReason,
    SessionState,
    advance,
    advance_unsealed,
)
from evcharge.domain.session.forgetting import is_forgotten, may_be_too_late
from evcharge.domain.session_record import (
    SessionRecord,
    StoredRecord,
    all_restored,
    all_stored,
)
from evcharge.engine.blame import NOT_THE_RULE
from evcharge.engine.chunk import Chunk
from evcharge.engine.step import Step
from evcharge.engine.table import StateTable
from evcharge.events.decode import decode_charging_sessions
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
    step.apply_all(partial(_advance, opened, unbilled), sessions)
    _bill_together(opened, step, unbilled)
    opened.close()
    forget_due(step, list(opened.closed), step.now_us, books.limits, partial(forget_waiting, step))


class _Unbilled(NamedTuple):
    """A session that took up records, whose bill follows."""

    session: SessionId
    row: SessionRow | None
    before: SessionState | None
    after: SessionState
    records: Sequence[SessionRecord]
    appended: Sequence[StoredRecord]
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

    together = until_due(account, before, records)
    if together < len(records):
        _advance_in_parts(books, unbilled, step, session, records, together)
        return

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
    added = all_stored(appended)
    if account is None:
        if row is not None and row.unpriced:
            # It was completed before, whatever it is now.
            books.keep(session, row, after, added, None, completed_us, unpriced=True)
            return
        if completion is None:
            keep_session(step, session, row, after, added, None, completed_us)
            return
        if not books.is_billing:
            books.seal_unpriced(session, row, after, added, completion)
            return
    to_bill = _Unbilled(session, row, before, after, records, added, completion)
    if unbilled is None:
        _bill(books, step, to_bill)
    else:
        unbilled.append(to_bill)


def _advance_in_parts(
    books: OpenBooks,
    unbilled: list[_Unbilled] | None,
    step: Step,
    session: SessionId,
    records: Sequence[SessionRecord],
    together: int,
) -> None:
    """Take up a session's records, first ``together`` of them, as its waiting decisions come due."""
    while together < len(records):
        step.apply(partial(_advance, books, None), session, records[:together])
        records = records[together:]
        row = step.state(session_key(*session), decode_kept)
        assert isinstance(row, SessionRow), "just written"
        together = until_due(row.account, row.state, records)
    step.apply(partial(_advance, books, unbilled), session, records)


def _bill_together(books: OpenBooks, step: Step, unbilled: list[_Unbilled]) -> None:
    """Bill sessions in rounds: whatever runs seldom runs at half its speed."""
    # So numbers of invoices follow their time, but for what was taken up in parts.
    unbilled.sort(key=_last_offset)
    kept = _kept(step, unbilled)
    settled, entered, failed = [], [], []
    for each in unbilled:
        try:
            settled.append((each, _settle(books, step, each, next(kept))))
        except NOT_THE_RULE:
            raise
        except Exception:  # noqa: BLE001 - a bug, of which the step finds the record
            failed.append(each)
    for each, result in settled:
        try:
            entered.append((each, result, books.prepare(each.session, each.row, result)))
        except NOT_THE_RULE:
            raise
        except Exception:  # noqa: BLE001 - the same
            failed.append(each)
    for each, result, prepared in entered:
        _write(books, each, result, prepared)
    for each in failed:
        step.apply(partial(_advance, books, None), each.session, each.records)


def _last_offset(unbilled: _Unbilled) -> int:
    return unbilled.records[-1].offset


def _kept(step: Step, unbilled: Sequence[_Unbilled]) -> Iterator[Sequence[StoredRecord] | None]:
    """Return the records that are kept of each session that was completed, all read at once."""
    keys = [
        key
        for each in unbilled
        if each.completion and each.row
        for key in block_keys(*each.session, each.row)
    ]
    blocks = iter(step.get_many(keys)) if keys else iter(())
    for each in unbilled:
        if each.completion is None:
            yield None
        elif each.row is None:
            yield ()
        else:
            yield records_of(each.row, islice(blocks, each.row.blocks))


def _bill(books: OpenBooks, step: Step, unbilled: _Unbilled) -> None:
    """Bill one session."""
    settled = _settle(books, step, unbilled, None)
    _write(books, unbilled, settled, books.prepare(unbilled.session, unbilled.row, settled))


def _settle(
    books: OpenBooks, step: Step, unbilled: _Unbilled, kept: Sequence[StoredRecord] | None
) -> Settled:
    """Return what becomes of a session; ``kept`` are its records before this step, if at hand."""
    (station_id, session_id), row, before, after, records, appended, completion = unbilled

    stored = None if kept is None else [*kept, *appended]

    def all_records() -> Sequence[SessionRecord]:
        if stored is not None:
            return all_restored(station_id, session_id, stored)
        before_these = stored_records(step, station_id, session_id, row)
        return [*before_these, *all_restored(station_id, session_id, appended)]

    session = Session(station_id, session_id, after, all_records, books.limits, stored)
    account = row.account if row else None
    return settle(books.desk, session, account, completion, before, records)


def _write(books: OpenBooks, unbilled: _Unbilled, settled: Settled, prepared: Prepared) -> None:
    session, row, _, after, _, appended, _ = unbilled
    books.write(session, row, after, appended, settled, completed_at(row, settled), prepared)


def _refuse(step: Step, records: Sequence[SessionRecord]) -> None:
    for record in records:
        step.refuse(record, forgotten(record.session_id))
