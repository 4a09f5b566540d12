"""What became of one session: its records and the decisions about it, one after the other.

The records' order is that in which they arrived. When a decision was taken up between them is left to
chance, and so are the terms that a worker chose (``reference.py``): every course that both allow is
followed, and one of them has to lead to the papers that were found (``papers.py``) and to the row.

Nothing is computed as the workers do it, from what was before: the state is folded anew from all records
at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from evcharge.domain.billing.account import NO_ACCOUNT
from evcharge.domain.billing.bill import Session
from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.rebill import MOST_FOLDED, billed_later
from evcharge.domain.billing.settle import Settled, decide, settle
from evcharge.domain.billing.unpriced import IS_OFF, why_unbilled
from evcharge.domain.session import Completion, Lifecycle, Limits, SessionState, fold
from evcharge.domain.session.order import END_RANK, value
from evcharge.domain.session.state import EMPTY
from evcharge.domain.session_record import SessionRecord
from evcharge.events.rejection import Rejected
from evcharge.verification.arrivals import kept_of
from evcharge.verification.chosen import ChosenTerms
from evcharge.verification.letters import Letters
from evcharge.verification.log import Ended, Log
from evcharge.verification.memory import is_too_late, may_forget
from evcharge.verification.papers import Wrong, accounted, accounted_unpriced, left
from evcharge.verification.point import Point, completed_with, taken_up_since, waiting_of
from evcharge.verification.reference import Reference

MOST_STEPS = 20_000


def follow(
    log: Log,
    reference: Reference,
    limits: Limits,
    compared: Callable[[Ended], str | None],
) -> Ended | Wrong | None:
    """Return where the session's course led to, or the first thing that is not as it has to be.

    ``compared`` tells how the row differs from an end of a course, None if it does not. None: there is
    too much to follow.
    """
    return _Course(log, reference, limits, compared).search()


class _Course:
    def __init__(
        self,
        log: Log,
        reference: Reference,
        limits: Limits,
        compared: Callable[[Ended], str | None],
    ) -> None:
        self._log = log
        self._reference = reference
        self._limits = limits
        self._compared = compared
        self._ids = log.station_id, log.session_id
        self._letters = Letters(log.session_id, log.decisions, log.declined)
        records = log.records
        ends = (number for number, each in enumerate(records) if each.kind >= END_RANK)
        self._first_end = next(ends, len(records))
        self._may_forget = may_forget(records, log.decisions, limits)
        self._values = {(each.partition, each.offset): value(each) for each in records}
        self._states: dict[tuple[int, frozenset[int]], SessionState] = {}
        self._wrong: tuple[tuple[int, int], Wrong] | None = None

    def search(self) -> Ended | Wrong | None:
        log = self._log
        count = len(log.records)
        # Never fewer than a worker counts (`rebill.py`): up to this it leaves no step out, and behind
        # it what it does depends on how the records were cut into chunks. (`due.py` counts fewer, for a
        # re-rating that was read ahead of the records of a session that then ended and was held.)
        rounds = log.came - self._first_end + (log.came if log.decisions else 0)
        if rounds * log.came > MOST_FOLDED:
            return None
        seen: set[Point] = set()
        following = [Point()]
        while following:
            at = following.pop()
            if at in seen:
                continue
            seen.add(at)
            if len(seen) > MOST_STEPS:
                return None
            if at.taken == count and at.decided == len(log.decisions):
                ended = self._ended(at)
                if ended is not None:
                    return ended
                continue
            # The last one is looked at first: records, as far as there are any.
            if at.decided < len(log.decisions):
                following += self._decide(at, log.decisions[at.decided])
            if at.taken < count:
                following += self._take(at)
        assert self._wrong is not None, "every course ends, or something stops it"
        return self._wrong[1]

    def _ended(self, at: Point) -> Ended | None:
        waiting = waiting_of(at.account)
        late = self._letters.late(waiting) if self._log.forgotten_us is not None else {}
        declined = (*at.declined, *late.items())
        state = self._state(at)
        ended = Ended(state, at.account, at.completed_us, at.refused, declined, at.unpriced)
        wrong = left(self._log.papers, at.upto)
        if letter := self._letters.wrong(waiting, late):
            wrong = Wrong(*letter, at.upto)
        if wrong is None:
            difference = self._compared(ended)
            if difference is None:
                return ended
            wrong = Wrong("unlike the table", difference, at.upto)
        self._stopped(wrong, 0)
        return None

    def _stopped(self, wrong: Wrong, weight: int) -> None:
        """Remember what stopped the course that accounts for most; what it was, rather than an end."""
        score = (sum(wrong.upto), weight)
        if self._wrong is None or score > self._wrong[0]:
            self._wrong = (score, wrong)

    def _take(self, at: Point) -> Iterator[Point]:
        """Take up the next record."""
        number = at.taken
        record = self._log.records[number]
        if at.account is None and number < self._first_end:
            # Nothing can be billed before an end: all at once, if no decision may come between.
            some = 1 if at.decided < len(self._log.decisions) else self._first_end - number
            if self._is_told(at, range(number, number + some), is_late=False):
                yield at._replace(taken=number + some)
            return
        before = self._state(at)
        is_late = self._may_forget and self._is_too_late(at, record.ingest_us)
        is_gone = (not is_late and number in (self._log.late or ())) and (
            at.is_gone or (self._log.are_rerouted and self._may_be_gone(at))
        )
        if not self._is_told(at, [number], is_late=is_late or is_gone):
            return
        if is_late or is_gone:
            refused = at.refused | {number}
            yield at._replace(taken=number + 1, refused=refused, is_gone=at.is_gone or is_gone)
            return
        if at.is_gone:
            self._stopped(Wrong("missing", "the dead letter of a record", at.upto), 1)
            return
        then = at._replace(taken=number + 1)
        after = self._state(then)
        if after == before and len(self._kept(then)) == len(self._kept(at)):
            yield then
            return
        completion = None
        is_new = after.revision > before.revision
        is_sealed = at.unpriced or (at.account is not None and at.account.is_settled)
        if is_new and after.lifecycle is Lifecycle.COMPLETED and not is_sealed:
            completion = Completion(after, record.ingest_us)
        if at.account is None:
            if completion is None:
                yield then
                return
            # Whether billing was switched on then, is told by what was sealed.
            upto = accounted_unpriced(self._ids, self._log.papers, at.upto, completion)
            if isinstance(upto, Wrong):
                self._stopped(upto, 1)
                return
            if upto is not None:
                is_later = record.ingest_us != after.closed_ingest_us
                completed_us = record.ingest_us if is_later else None
                yield then._replace(unpriced=True, upto=upto, completed_us=completed_us)
                return
        session = self._session(then, after)
        earlier = None if before == EMPTY else before
        for ended, settled in self._settled(
            then,
            record.ingest_us,
            lambda desk: settle(desk, session, at.account, completion, earlier, [record]),
        ):
            then = completed_with(ended, at, settled.account, billed_later(settled.outputs))
            yield from self._judged(
                then, taken_up_since(at, settled.account), self._letters.refused(settled)
            )

    def _is_too_late(self, at: Point, ingest_us: int) -> bool:
        """Whether what came at an ingest time met a session that is forgotten by its own time."""
        state = self._state(at)
        return is_too_late(state, at.account, at.completed_us, ingest_us, self._limits)

    def _may_be_gone(self, at: Point) -> bool:
        """Whether a marker can have taken the session's place: that goes by the time of other records.

        A decision meets it that a worker read more than a day late, and so does a record, if those that
        were rerouted were read ahead of the others, or behind them.
        """
        forgotten_us = self._log.forgotten_us
        return forgotten_us is not None and self._is_too_late(at, forgotten_us)

    def _is_told(self, at: Point, numbers: Collection[int], *, is_late: bool) -> bool:
        """Whether the dead letters, if they count, say the same of records."""
        late = self._log.late
        if late is None or all((each in late) == is_late for each in numbers):
            return True
        what = "missing" if is_late else "surplus"
        self._stopped(Wrong(what, "the dead letter of a record", at.upto), 1)
        return False

    def _decide(self, at: Point, decision: Decision) -> Iterator[Point]:
        """Take up the next decision."""
        then = at._replace(decided=at.decided + 1)
        state = self._state(at)
        is_late = self._is_too_late(at, decision.ingest_us)
        is_gone = not is_late and self._letters.says_late(decision) and self._may_be_gone(at)
        if is_late or is_gone or at.is_gone:
            then = then._replace(is_gone=at.is_gone or is_gone)
            yield from self._judged(then, [decision], self._letters.late([decision]))
            return
        # Whether billing was switched on then, is told by the dead letter.
        is_off = self._letters.says(decision, IS_OFF)
        unbilled = why_unbilled(at.account, unpriced=at.unpriced, is_billing=not is_off)
        if unbilled is not None:
            yield from self._judged(then, [decision], self._letters.of({decision: unbilled}))
            return
        session = self._session(at, state)
        for ended, settled in self._settled(
            then,
            decision.ingest_us,
            lambda desk: decide(desk, session, at.account, decision),
        ):
            taken_up = taken_up_since(at, settled.account, decision)
            following = ended
            if ended.account != at.account:
                own = [decision.ingest_us] if decision in taken_up else []
                own += billed_later(settled.outputs)
                following = completed_with(ended, at, settled.account, own)
            yield from self._judged(following, taken_up, self._letters.refused(settled, decision))

    def _judged(
        self, at: Point, taken_up: Sequence[Decision], refused: Mapping[int, Rejected]
    ) -> Iterator[Point]:
        """Yield a point behind decisions, if exactly those that were refused have a dead letter."""
        letter = self._letters.wrong(taken_up, refused)
        if letter is None:
            yield at._replace(declined=(*at.declined, *refused.items()))
        else:
            self._stopped(Wrong(*letter, at.upto), 1)

    def _settled(
        self, at: Point, at_us: int, rule: Callable[[ChosenTerms], Settled]
    ) -> Iterator[tuple[Point, Settled]]:
        """Yield what a rule leads to, with each of the terms that can have been chosen."""
        desk = ChosenTerms(self._reference, self._limits, at_us)
        for _ in desk.choices():
            settled = rule(desk)
            upto = accounted(self._ids, self._log.papers, at.upto, settled.outputs, self._values)
            if isinstance(upto, Wrong):
                self._stopped(upto, 1)
            else:
                # What changes nothing leaves a session without an account as it is.
                is_same = settled.account == (at.account or NO_ACCOUNT)
                account = at.account if is_same else settled.account
                yield at._replace(account=account, upto=upto), settled

    def _session(self, at: Point, state: SessionState) -> Session:
        records = self._kept(at)
        return Session(*self._ids, state, lambda: records, self._limits)

    def _state(self, at: Point) -> SessionState:
        key = at.taken, at.refused
        known = self._states.get(key)
        if known is None:
            records = self._accepted(at)
            known = self._states[key] = fold(records, self._limits) if records else EMPTY
        return known

    def _accepted(self, at: Point) -> Sequence[SessionRecord]:
        records = self._log.records[: at.taken]
        if not at.refused:
            return records
        return [each for number, each in enumerate(records) if number not in at.refused]

    def _kept(self, at: Point) -> Sequence[SessionRecord]:
        return kept_of(self._accepted(at), self._limits)
