"""What the rows of the sessions have to be: each session is the fold of the set of its records.

What was billed follows from the records and the decisions one after the other (``course.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from evcharge.domain.billing.standing import standing_of
from evcharge.domain.billing.unpriced import why_unbilled
from evcharge.domain.session import Limits, fold
from evcharge.domain.session.forgetting import GRACE_US
from evcharge.domain.session.state import EMPTY
from evcharge.domain.session_record import SessionRecord
from evcharge.events.rejection import Reason, Rejected
from evcharge.verification.arrivals import arrived, kept_of, told_by_evidence, without_repeats
from evcharge.verification.costs import CostJson, possible_costs
from evcharge.verification.course import follow
from evcharge.verification.known import Checked, Known
from evcharge.verification.log import Ended, Log
from evcharge.verification.memory import CLOSED, forgotten, is_too_late, may_forget
from evcharge.verification.papers import Papers, Wrong
from evcharge.verification.progress import Compared, silent, telling
from evcharge.verification.reference import Reference
from evcharge.verification.report import Report
from evcharge.verification.rows import Rows, read_row
from evcharge.verification.session_rows import SessionRows
from evcharge.verification.session_sources import SessionId, Sources, named
from tables.charging_sessions import PRESENT, SessionRow, decode_session, session_key
from tables.closed_sessions import (
    QUEUE_KEY,
    Queue,
    completed_key,
    decode_completed,
    decode_queue,
)

RECORDS, DECISIONS = "charging-sessions", "session-decisions"
"""The topics that sessions follow from."""

TOO_MUCH = "courses of sessions with too much to follow"
"""Sessions of which not everything is checked: their state and bills are, but neither the order of what
happened nor which decisions were refused."""

_NOTHING = Papers()

T = TypeVar("T")


def check_sessions(
    where: str,
    rows: Rows,
    sources: Sources,
    reference: Reference,
    limits: Limits,
    report: Report,
    *,
    now_us: int,
    is_billing: bool = True,
    compared: Compared = silent,
) -> Checked:
    """Compare a partition's rows, and what was billed, with the records and decisions.

    ``now_us``: the latest append time of what was read, be it records of sessions or not.
    ``is_billing``: whether billing is switched on now; what it was before is told by what was sealed.
    """
    sessions = _Sessions(where, rows, sources, reference, limits, report, now_us, is_billing)
    return sessions.check(compared)


class _Sessions:
    def __init__(
        self,
        where: str,
        rows: Rows,
        sources: Sources,
        reference: Reference,
        limits: Limits,
        report: Report,
        now_us: int,
        is_billing: bool,
    ) -> None:
        self._where = where
        self._rows = rows
        self._sources = sources
        self._reference = reference
        self._limits = limits
        self._report = report
        self._now_us = now_us
        self._is_billing = is_billing
        self._checked = Checked({}, {}, set())

    def check(self, compared: Compared) -> Checked:
        sources = self._sources
        queued = self._queued()
        for session in telling(sources.sessions(), compared):
            self._report.compared["sessions"] += 1
            value = self._rows.take(session_key(*session))
            if value is not None:
                self._checked.stations.add(session[0])
            if value == PRESENT:
                self._check_forgotten(session)
                continue
            row = self._read(f"the row of {named(session)}", value, decode_session)
            ended = self._check_one(session, row)
            if ended is None:
                continue
            standing = standing_of(ended.state, ended.account).standing
            if standing in CLOSED and session not in queued:
                self._differs("missing", session, "in the queue")
        return self._checked

    def _queued(self) -> set[SessionId]:
        """Return the sessions that wait to be forgotten."""
        value = self._rows.take(QUEUE_KEY)
        queue = self._read("the queue", value, decode_queue) or Queue()
        queued: set[SessionId] = set()
        for number in self._rows.numbered(queue.first, queue.behind):
            value = self._rows.take(completed_key(number))
            what = f"row {number} of completed sessions"
            if value is None:
                self._report.differs(self._where, "missing", what)
            elif completed := self._read(what, value, decode_completed):
                queued.update(completed.sessions)
        return queued

    def _check_forgotten(self, session: SessionId) -> None:
        """Check a session with a marker."""
        at_us = self._now_us - GRACE_US
        log = self._log(session, None)._replace(
            forgotten_us=at_us, are_rerouted=bool(self._sources.rerouted)
        )
        log, ended = self._followed(log, None)
        if ended is None:
            return
        self._refuse(log, ended)
        if not is_too_late(ended.state, ended.account, ended.completed_us, at_us, self._limits):
            self._differs("missing", session, "forgotten too soon")

    def _check_one(self, session: SessionId, row: SessionRow | None) -> Ended | None:
        """Check a session that is remembered; return where its course led to, if that can be told."""
        own = SessionRows(self._where, self._rows, session, row, self._report)
        kept = own.kept()
        log, ended = self._followed(self._log(session, kept), own)
        refused: Collection[int] = log.late or ()
        if ended is not None:
            refused = ended.refused
            self._refuse(log, ended)
        sources = self._sources
        records = [*sources.direct.get(session, ()), *sources.rerouted.get(session, ())]
        accepted = [each for number, each in enumerate(log.records) if number not in refused]
        if refused:
            records = accepted
        state = fold(records, self._limits) if records else EMPTY
        account = ended.account if ended else None if row is None else row.account
        if state == EMPTY and account is None:
            if row is not None:
                own.differs("surplus", "a row of nothing")
            return ended
        if state != EMPTY:
            costs: Callable[[int], Sequence[CostJson]]
            costs = partial(possible_costs, log, state, account, self._reference, self._limits)
            unpriced = ended.unpriced if ended else row is not None and row.unpriced
            if why_unbilled(account, unpriced=unpriced, is_billing=self._is_billing):
                costs = _no_cost
            self._checked.sessions[session] = Known(state, account, costs, log.kept)
        own.check(state, account)
        flooded = state.witnesses is not None
        own.check_kept(kept, kept_of(accepted, self._limits) if flooded else records)
        return ended

    def _log(self, session: SessionId, kept: Sequence[SessionRecord] | None) -> Log:
        """Return what the topics tell of a session; ``kept`` is None of one that is forgotten."""
        sources = self._sources
        direct, rerouted = sources.direct.get(session, ()), sources.rerouted.get(session, ())
        papers = sources.papers.get(session, _NOTHING)
        is_forgotten = kept is None
        if kept is None:
            kept = told_by_evidence(direct, rerouted, papers.sealed)
        orders = arrived(direct, rerouted, kept, self._limits)
        if is_forgotten and not orders:
            # The place that counts of a repeated record can be one where it was found later.
            orders = arrived(direct, rerouted, (), self._limits)
        if not orders:
            self._differs(
                "changed", session, "its records are kept in another order than they came"
            )
        records, *others = orders or ([*direct, *rerouted],)
        came = len(records)
        decisions = sources.decisions.get(session, ())
        if rerouted and not may_forget(records, decisions, self._limits):
            # No repeat can have come too late.
            records = without_repeats(records, kept)
        declined = {
            number: said
            for number, decision in enumerate(decisions)
            if (said := sources.declined.get((decision.partition, decision.offset))) is not None
        }
        other = others[0] if others else None
        log = Log(*session, records, came, decisions, papers, declined, None, kept, other=other)
        return self._with_letters(log)

    def _with_letters(self, log: Log) -> Log:
        """Return a log with what the dead letters say of its records."""
        late = self._sources.late
        numbers = (n for n, each in enumerate(log.records) if (each.partition, each.offset) in late)
        return log._replace(late=frozenset(numbers))

    def _followed(self, log: Log, own: SessionRows | None) -> tuple[Log, Ended | None]:
        """Follow a session's course, in the order in which it can be; note what is wrong with it.

        ``own``: its rows, None if they are gone. Which of its records came too late is what the dead
        letters say. Where no course leads to these and to the rows, the letters or the rows may be what
        is wrong: then one counts that leads to the others.
        """
        wrong: Wrong | None = None
        for tried, compared in self._tries(log, own):
            found = follow(tried, self._reference, self._limits, compared)
            if isinstance(found, Ended):
                return tried, found
            wrong = found
            if wrong is None:
                break
        session = (log.station_id, log.session_id)
        # The orders in between were not followed: they matter where somebody has decided meanwhile.
        if wrong is None or (log.other is not None and log.decisions):
            self._report.unchecked[TOO_MUCH] += 1
            self._refuse_late(log, log.late or ())
            self._refuse_decided(log, log.declined.items())
        else:
            self._differs(wrong.sort, session, wrong.detail)
        return log, None

    def _tries(
        self, log: Log, own: SessionRows | None
    ) -> Iterator[tuple[Log, Callable[[Ended], str | None]]]:
        """Yield what a session's course is to be followed with, and how an end of it is compared."""
        orders = [log]
        if log.other is not None:
            orders.append(self._with_letters(log._replace(records=log.other, other=None)))
        at_all = own.unlike_at_all if own else _nothing_to_compare
        yield from ((each, at_all) for each in orders)
        if log.late or may_forget(log.records, log.decisions, self._limits):
            yield log._replace(late=None), at_all
        if own:
            yield from ((each, own.unlike) for each in orders)

    def _refuse(self, log: Log, ended: Ended) -> None:
        """Expect the dead letters of what a rule refused."""
        self._refuse_late(log, ended.refused)
        self._refuse_decided(log, ended.declined)

    def _refuse_decided(self, log: Log, declined: Iterable[tuple[int, Rejected]]) -> None:
        """Expect the dead letters of decisions that cannot be carried out."""
        for number, why in declined:
            decision = log.decisions[number]
            place = (DECISIONS, decision.partition, decision.offset)
            self._checked.refused[place] = why

    def _refuse_late(self, log: Log, numbers: Iterable[int]) -> None:
        """Expect the dead letters of records that came too late."""
        for number in numbers:
            record = log.records[number]
            place = (RECORDS, record.partition, record.offset)
            self._checked.refused[place] = Rejected(Reason.TOO_LATE, forgotten(log.session_id))

    def _read(self, name: str, row: bytes | None, decode: Callable[[bytes], T]) -> T | None:
        return read_row(self._where, name, row, decode, self._report)

    def _differs(self, sort: str, session: SessionId, what: str) -> None:
        self._report.differs(self._where, sort, f"{named(session)}: {what}")


def _no_cost(_: int) -> Sequence[CostJson]:
    return [None]


def _nothing_to_compare(_: Ended) -> None:
    return None
