"""Follows the topic ``session-decisions``: carries out what was decided about sessions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import attrgetter

from faust.types import StreamT

from evcharge.application import Application
from evcharge.billing.books import Books, OpenBooks, completed_at
from evcharge.billing.waiting import forgotten, keep_waiting, refused
from evcharge.domain.billing.account import NO_ACCOUNT
from evcharge.domain.billing.bill import Session
from evcharge.domain.billing.settle import HARMLESS, decide
from evcharge.domain.billing.standing import settled_lifecycle
from evcharge.domain.session.forgetting import is_forgotten
from evcharge.domain.session.state import EMPTY
from evcharge.engine.chunk import Chunk
from evcharge.engine.step import Step
from evcharge.engine.table import StateTable
from evcharge.events.session_decisions import Decided, decode_session_decisions
from tables.charging_sessions import FORGOTTEN, decode_kept, session_key, stored_records
from tables.closed_sessions import SessionId, enter_closed


def take_session_decisions(app: Application, table: StateTable, books: Books) -> None:
    """Register the agent that writes ``table`` from what was decided."""

    @app.chunk_agent("session-decisions", table, rerouted=False)
    async def session_decisions(chunks: StreamT[Chunk]) -> None:
        async for step in app.lane.steps(chunks, table):
            take_decisions(
                step, step.decode(decode_session_decisions, _session, forwards=False), books
            )


def take_decisions(
    step: Step, sessions: Sequence[tuple[SessionId, Sequence[Decided]]], books: Books
) -> None:
    """Take up the decisions of a step, by session.

    Nothing is forgotten here: that goes by the time of the device topics, which this one can be ahead
    of when both are read again.
    """
    opened = books.open(step)
    for session, decisions in sessions:
        for decided in decisions:
            step.apply(partial(_decide, opened), session, [decided])
    opened.close()
    enter_closed(step, list(opened.closed), step.now_us)


_session = attrgetter("station_id", "session_id")


def _decide(books: OpenBooks, step: Step, session: SessionId, decisions: Sequence[Decided]) -> None:
    (decided,) = decisions
    decision = decided.decision
    station_id, session_id = session
    row = step.state(session_key(station_id, session_id), decode_kept)
    if row is FORGOTTEN or (
        row is not None
        and is_forgotten(
            row.state,
            row.completed_us,
            decision.ingest_us,
            books.limits.memory_us,
            settled_lifecycle(row.state, row.account),
        )
    ):
        step.refuse(decided, forgotten(session_id))
        return
    if (why := books.why_unbilled(row)) is not None:
        step.refuse(decided, refused(session_id, why))
        return
    # Of a session without records it is kept until they come.
    state, account = (EMPTY, None) if row is None else (row.state, row.account)
    billed = Session(
        station_id,
        session_id,
        state,
        lambda: stored_records(step, station_id, session_id, row),
        books.limits,
    )
    settled = decide(books.desk, billed, account, decision)
    if settled.account != (account or NO_ACCOUNT):
        completed_us = completed_at(row, settled, decision)
        prepared = books.prepare(session, row, settled)
        books.write(session, row, state, (), settled, completed_us, prepared)
    if decision in (settled.account.waiting or ()):
        keep_waiting(step, decided)
    if settled.refusal is not None and settled.refusal not in HARMLESS:
        step.refuse(decided, refused(session_id, settled.refusal))
