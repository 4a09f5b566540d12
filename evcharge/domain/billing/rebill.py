"""The steps of billing: the first seal, a bill in place of another one, and whether it still holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from evcharge.domain.billing.account import Account, Facts, facts_of
from evcharge.domain.billing.bill import (
    Bill,
    Session,
    evidence_of,
    first_records,
    is_payable,
    ordered,
    priced,
    state_behind,
    total_of,
)
from evcharge.domain.billing.decision import Corrections, Decision, Verdict
from evcharge.domain.billing.terms import Desk, Terms
from evcharge.domain.pricing import MAX_CHANGES, NEVER_MORE_US, changes_in
from evcharge.domain.session import Completion, HeldReason, Lifecycle, Limits, SessionState
from evcharge.domain.session.power import is_over_power
from evcharge.domain.session.told import Told, told_in_order
from evcharge.domain.session_record import SessionRecord

_new = tuple.__new__  # of a tuple: half of the time that the fields one by one take

MOST_FOLDED = 1_000_000
"""Records folded, of one session in one call, to look at those behind a completion one by one: in a
session of a thousand records at all that came together, in one of twenty thousand at the last fifty."""


class Credit(NamedTuple):
    """The invoice of a bill is credited, whole."""

    bill: int
    credited_us: int
    """Ingest time of the record or decision that led to it."""


Output: TypeAlias = Credit | Bill
"""What is to be written, in this order: a credit note; a sealed session, and its invoice if any."""


def billed_later(outputs: Iterable[Output]) -> list[int]:
    """Return the ingest times of the records that led to bills, of those that came after the end."""
    return [
        each.billed_us
        for each in outputs
        if isinstance(each, Bill)
        and each.decision is None
        and each.billed_us != each.state.closed_ingest_us
    ]


def seal(
    desk: Desk, session: Session, account: Account, completion: Completion
) -> tuple[Account, tuple[Output, ...]]:
    """Seal a session when it first is completed, unless its terms are in doubt.

    Where they are, the records behind are looked at one by one: any of them may settle that.
    """
    account, outputs = _sealed(desk, session, account, completion)
    while account.bill == 0 and (following := _next_completion(session, completion)):
        completion = following
        account, outputs = _sealed(desk, session, account, completion)
    return account, outputs


def _next_completion(session: Session, completion: Completion) -> Completion | None:
    """Return the session as it next was completed by a record."""
    for revision in _looked_at(session, completion.state.revision + 1):
        state, records = state_behind(session, revision)
        if state.lifecycle is Lifecycle.COMPLETED:
            return Completion(state, records[-1].ingest_us)
    return None


def _looked_at(session: Session, first: int) -> range:
    """Return the revisions from the first on that are looked at: all, or of very many the last."""
    last = session.state.revision
    return range(max(first, last + 1 - MOST_FOLDED // max(last, 1)), last + 1)


def _sealed(
    desk: Desk, session: Session, account: Account, completion: Completion
) -> tuple[Account, tuple[Output, ...]]:
    state = completion.state
    assert state.started_us is not None, "completed"
    # Frozen when the records first completed the session, also if they then were doubted.
    terms = account.terms or desk.terms(session.station_id, state.connector_id, state.started_us)
    if terms is None:
        return account._replace(doubts=HeldReason.NO_TARIFF.bit), ()
    told = None
    if session.stored is not None and state.revision == session.state.revision:
        told = told_in_order(state, session.stored)
    seen: Sequence[SessionRecord] = ()
    if told is None:
        seen = first_records(session.known(), state.revision)
    doubts = doubts_of(desk, terms, state, seen, session.limits, told)
    if doubts:
        return account._replace(doubts=doubts, terms=terms), ()
    at_us = completion.completed_us
    return rebilled(desk, session, account, (state, seen), terms, at_us, told=told)


def doubts_of(
    desk: Desk,
    terms: Terms,
    state: SessionState,
    records: Sequence[SessionRecord],
    limits: Limits,
    told: Told | None = None,
) -> int:
    """Return the reasons, as bits, why what was seen cannot be billed under its terms.

    They are a function of the set of the records and of the terms, as the fold's own reasons are.
    """
    facts = facts_of(state)
    if not facts.are_billable:
        return 0
    doubts = 0 if is_priceable(desk, terms, facts) else HeldReason.TOO_LONG.bit
    if is_over_power(state, ordered(records), terms.max_power_mw, limits, told):
        doubts |= HeldReason.OVER_POWER.bit
    return doubts


def is_priceable(desk: Desk, terms: Terms, facts: Facts) -> bool:
    """Whether local time does not change the tariff too often in a session (``pricing/bound.py``)."""
    assert facts.started_us is not None, "billable"
    assert facts.ended_us is not None, "billable"
    # Nearly always.
    if facts.ended_us - facts.started_us <= NEVER_MORE_US:
        return True
    return changes_in(desk.tariff(terms).plan, *facts[:2]) <= MAX_CHANGES


def rebilled(
    desk: Desk,
    session: Session,
    account: Account,
    seen: tuple[SessionState, Sequence[SessionRecord]],
    terms: Terms,
    at_us: int,
    *,
    corrections: Corrections | None = None,
    decision: Decision | None = None,
    told: Told | None = None,
) -> tuple[Account, tuple[Output, ...]]:
    """Return the account with a bill of what was seen, and nothing to write if it stands already.

    What was seen has billable facts; with its columns, ``told``, its records are not looked at. The
    account has no verdict yet that belongs to this bill.
    """
    state, records = seen
    said = facts_of(state)
    facts = said.corrected(corrections)
    tariff = desk.tariff(terms)
    segments, cost = priced(state, records, terms, tariff, session.limits, corrections, told)
    total = total_of(cost)
    is_invoiced = is_payable(facts, total)
    stands = (
        account.bill > 0
        and account.total is not None
        and (account.facts, account.total, account.terms) == (facts, total.kept, terms)
        and (account.invoice is not None) == is_invoiced
    )
    number = account.bill if stands else account.bill + 1
    after = _new(
        Account,
        (
            number,
            state.revision,
            said,
            total.kept,
            terms,
            number if is_invoiced else None,
            None,  # changed
            None,  # doubts
            account.verdict,
            account.accepted,
            corrections,
            account.decided,
            account.rated,
            account.decisions,
            account.known,
            account.waiting,
        ),
    )
    if stands:
        return after, ()
    bill = _new(
        Bill,
        (
            session.station_id,
            session.session_id,
            number,
            state,
            facts,
            terms,
            tariff,
            segments,
            cost,
            evidence_of(records, state.revision) if told is None else told.places,
            at_us,
            decision,
            is_invoiced,
            False,  # is_void
        ),
    )
    return after, (*credit_of(account, at_us), bill)


def credit_of(account: Account, at_us: int) -> tuple[Credit, ...]:
    """Return the credit of the invoice that stands, if one does."""
    return () if account.invoice is None else (Credit(account.invoice, at_us),)


def review(
    desk: Desk, session: Session, account: Account, before: SessionState | None
) -> tuple[Account, tuple[Output, ...]]:
    """Look at a settled session that has new records behind the state ``before``.

    What is invoiced or decided about stays, and the account remembers what the records say of it. Where
    there is nothing to pay yet, they may still change that: a user who is named later is invoiced then.
    """
    outputs: tuple[Output, ...] = ()
    first = max(account.revision, 0 if before is None else before.revision) + 1
    # One by one, so that no other cut into calls gives another bill.
    for revision in _looked_at(session, first):
        terms = account.terms
        if account.verdict is not None or account.invoice is not None or terms is None:
            break
        state, records = state_behind(session, revision)
        if state.lifecycle is Lifecycle.COMPLETED:
            doubts = doubts_of(desk, terms, state, records, session.limits)
            if doubts:
                account = account._replace(doubts=doubts)
                continue
            seen = (state, records)
            at_us = records[-1].ingest_us
            billed, more = rebilled(desk, session, account, seen, terms, at_us)
            if more or account.doubts:
                # Else it stays as it is: which records are looked at depends on how they were cut.
                account, outputs = billed, (*outputs, *more)
        elif account.doubts:
            account = account._replace(doubts=None)
    if account.verdict is not None or account.invoice is not None:
        account = questioned(desk, session, account)
    return account, outputs


def questioned(desk: Desk, session: Session, account: Account) -> Account:
    """Return the account of what was invoiced or decided about, with what all records say of it."""
    state = session.state
    if state.revision == account.revision and state.witnesses is None:
        # Nothing came behind what was looked at, and what that left in doubt was decided.
        return account._replace(changed=None, doubts=None)
    return account._replace(
        changed=_is_changed(desk, session, account) or None,
        doubts=_doubts_of_all(desk, session, account) or None,
    )


def _doubts_of_all(desk: Desk, session: Session, account: Account) -> int:
    """Return the doubts, as bits, that no decision settled; none where another reason holds anyway."""
    state, accepted = session.state, account.accepted or 0
    if account.verdict is Verdict.VOID or account.terms is None or state.reasons & ~accepted:
        return 0
    known = session.known()
    return doubts_of(desk, account.terms, state, known, session.limits) & ~accepted


def _is_changed(desk: Desk, session: Session, account: Account) -> bool:
    """Whether all records say something else than those that were looked at, or make another price."""
    state = session.state
    if facts_of(state) != account.seen:
        return True
    if account.verdict is Verdict.VOID or account.terms is None or not account.facts.are_billable:
        return False
    tariff = desk.tariff(account.terms)
    _, cost = priced(
        state, session.known(), account.terms, tariff, session.limits, account.corrections
    )
    return total_of(cost).kept != account.total
