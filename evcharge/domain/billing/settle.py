"""What records and decisions do to a session's account, and what is to be written for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evcharge.domain.billing.account import (
    MOST_REMEMBERED,
    MOST_WAITING,
    NO_ACCOUNT,
    Account,
    facts_of,
)
from evcharge.domain.billing.bill import Bill, Session, evidence_of, priced, state_at, total_of
from evcharge.domain.billing.decision import Decision, Verdict
from evcharge.domain.billing.due import is_due
from evcharge.domain.billing.rebill import (
    Output,
    credit_of,
    doubts_of,
    is_priceable,
    questioned,
    rebilled,
    review,
    seal,
)
from evcharge.domain.billing.terms import Desk
from evcharge.domain.pricing import MAX_CHANGES, changes_in
from evcharge.domain.session import Completion, SessionState
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session_record import SessionRecord

_WAITS = "it waits for what it is about"
_REPEATED = "this decision was taken up before"
_OVERRULED = "a later decision counts"
_SAME = "it costs the same"
_DOUBTFUL = "what it is about is held under its terms"
_VOID = "it is void"
_TOO_LONG = f"it is so long that local time changes its tariff more than {MAX_CHANGES:,} times"
_GIVEN_UP = f"more than {MOST_WAITING} decisions wait for what they are about"

HARMLESS = frozenset({_WAITS, _REPEATED, _OVERRULED, _SAME, _VOID})
"""Refusals that nobody has to look into: the decision is kept, was taken up, or makes no difference."""


class Refused(NamedTuple):
    """A decision that had waited and cannot be carried out."""

    decision: Decision
    why: str
    """As :attr:`Settled.refusal`."""


class Settled(NamedTuple):
    """An account after records or a decision."""

    account: Account
    outputs: tuple[Output, ...] = ()
    refusal: str | None = None
    """Why a decision changes nothing: a few words for a person."""
    refused: tuple[Refused, ...] = ()
    """Decisions that wait no more, and that somebody has to look into."""


def settle(
    desk: Desk,
    session: Session,
    account: Account | None,
    completion: Completion | None,
    before: SessionState | None,
    new: Sequence[SessionRecord],
) -> Settled:
    """Return the account after new records, which made of the state ``before`` that of ``session``.

    ``completion``: what an unsettled session was when it first was completed, if that is now. What is
    already invoiced or decided about is never changed by records: that they say something else is
    remembered. The result does not depend on how records were cut into calls, where those among which
    a decision comes due (``due.py``) are given one by one; but for sessions of which very many
    records come at once (``rebill.MOST_FOLDED``).
    """
    account = account or NO_ACCOUNT
    outputs: tuple[Output, ...] = ()
    if completion is not None and not account.is_settled:
        account, outputs = seal(desk, session, account, completion)
        before = completion.state
    state = session.state
    if account.is_settled and state != before and not _is_behind(account, state, before, new):
        account, more = review(desk, session, account, before)
        outputs += more
    if account.doubts and state.reasons & ~(account.accepted or 0):
        # Its terms are asked about where nothing else holds it.
        account = account._replace(doubts=None)
    return _with_due(desk, session, Settled(account, outputs))


def decide(desk: Desk, session: Session, account: Account | None, decision: Decision) -> Settled:
    """Return the account after a record of ``session-decisions``.

    Which decisions are accepted follows from their records alone; one that is about records that have
    not come yet waits for them. So however the two topics were interleaved, the same decision counts
    in the end: the one whose record is the last.
    """
    account = account or NO_ACCOUNT
    known, count = account.known or (), account.decisions or 0
    if decision.decision_id in known:
        return Settled(account, refusal=_REPEATED)
    if decision.decisions is not None and decision.decisions != count:
        return Settled(account, refusal="another decision came first")
    known = (*known, decision.decision_id)[-MOST_REMEMBERED:]
    account = account._replace(known=known, decisions=count + 1)
    if not is_due(decision, session, account):
        waiting = (*(account.waiting or ()), decision)
        given_up = tuple(Refused(each, _GIVEN_UP) for each in waiting[:-MOST_WAITING])
        account = account._replace(waiting=waiting[-MOST_WAITING:])
        return Settled(account, refusal=_WAITS, refused=given_up)
    return _with_due(desk, session, _apply(desk, session, account, decision))


def _with_due(desk: Desk, session: Session, settled: Settled) -> Settled:
    """Apply the decisions that waited until now, in the order of their records."""
    account, outputs, refusal, refused = settled
    if account.waiting is None:
        return settled
    while due := [each for each in account.waiting or () if is_due(each, session, account)]:
        rest = tuple(each for each in account.waiting or () if each is not due[0])
        applied = _apply(desk, session, account._replace(waiting=rest or None), due[0])
        account, more, why, _ = applied
        outputs += more
        if why is not None and why not in HARMLESS:
            refused += (Refused(due[0], why),)
    return Settled(account, outputs, refusal, refused)


def _is_behind(
    account: Account,
    state: SessionState,
    before: SessionState | None,
    new: Sequence[SessionRecord],
) -> bool:
    """Whether nothing can have changed: readings behind the end, the same facts and reasons."""
    ended = state.ended_us
    if ended is not None and account.corrections is not None:
        ended = max(ended, account.corrections.ended_us or ended)
    return (
        before is not None
        and ended is not None
        and facts_of(state) == facts_of(before)
        and (state.reasons, state.witnesses) == (before.reasons, before.witnesses)
        and all(record.timestamp_us > ended and record.kind < END_RANK for record in new)
    )


def _apply(desk: Desk, session: Session, account: Account, decision: Decision) -> Settled:
    if decision.verdict is Verdict.RERATE:
        return _rerate(desk, session, account, decision)
    if account.decided is not None and decision.offset < account.decided:
        return Settled(account, refusal=_OVERRULED)
    if decision.verdict is Verdict.VOID:
        return _void(desk, session, account, decision)
    return _bill(desk, session, account, decision)


def _bill(desk: Desk, session: Session, account: Account, decision: Decision) -> Settled:
    """Bill what its author saw, or what was put in place of that."""
    seen = state, _ = state_at(session, decision.revision)
    facts = facts_of(state).corrected(decision.corrections)
    if not facts.are_billable:
        return Settled(
            account, refusal="its start, end and energy are not all known, or contradict"
        )
    assert facts.started_us is not None, "billable"
    terms = account.terms or desk.terms(session.station_id, state.connector_id, facts.started_us)
    if terms is None:
        return Settled(account, refusal="its station names a tariff that is not known")
    if not is_priceable(desk, terms, facts):
        return Settled(account, refusal=_TOO_LONG)
    account, outputs = rebilled(
        desk,
        session,
        account,
        seen,
        terms,
        decision.ingest_us,
        corrections=decision.corrections,
        decision=decision,
    )
    # Whoever decides has seen what the records say, so also what the terms say of that.
    accepted = state.reasons | doubts_of(desk, terms, *seen, session.limits)
    account = account._replace(verdict=decision.verdict, accepted=accepted, decided=decision.offset)
    return Settled(questioned(desk, session, account), outputs)


def _void(desk: Desk, session: Session, account: Account, decision: Decision) -> Settled:
    """Bill nothing; credit what was invoiced, and say so behind what was sealed."""
    outputs: tuple[Output, ...] = credit_of(account, decision.ingest_us)
    number = account.bill
    if account.bill and account.terms and account.verdict is not Verdict.VOID:
        number += 1
        state, records = state_at(session, account.revision)
        tariff = desk.tariff(account.terms)
        segments, cost = priced(
            state, records, account.terms, tariff, session.limits, account.corrections
        )
        outputs += (
            Bill(
                session.station_id,
                session.session_id,
                number,
                state,
                account.facts,
                account.terms,
                tariff,
                segments,
                cost,
                evidence_of(records, state.revision),
                decision.ingest_us,
                decision,
                is_void=True,
            ),
        )
    state, _ = state_at(session, decision.revision)
    account = account._replace(
        bill=number,
        revision=state.revision,
        seen=facts_of(state),
        total=None,
        invoice=None,
        doubts=None,
        verdict=Verdict.VOID,
        accepted=state.reasons,
        corrections=None,
        decided=decision.offset,
    )
    return Settled(questioned(desk, session, account), outputs)


def _rerate(desk: Desk, session: Session, account: Account, decision: Decision) -> Settled:
    """Bill the same session under another tariff, if that makes another total."""
    if account.rated is not None and decision.offset < account.rated:
        return Settled(account, refusal=_OVERRULED)
    agreed = account.terms
    assert agreed is not None, "billed"
    assert decision.document is not None, "a re-rating brings its tariff"
    tariff = desk.published(decision.document.encode())
    terms = agreed._replace(
        tariff_id=tariff.plan.tariff.tariff_id, tariff_version=None, tariff_digest=tariff.digest
    )
    account = account._replace(rated=decision.offset)
    if account.verdict is Verdict.VOID:
        return Settled(account._replace(terms=terms), refusal=_VOID)
    # What nobody decided about is billed as the author saw it; a decision's own view stays.
    revision = decision.revision if account.verdict is None else account.revision
    seen = state_at(session, revision)
    if account.verdict is None and doubts_of(desk, agreed, *seen, session.limits):
        return Settled(account, refusal=_DOUBTFUL)
    facts = facts_of(seen[0]).corrected(account.corrections)
    if changes_in(tariff.plan, facts.started_us, facts.ended_us) > MAX_CHANGES:
        return Settled(account, refusal=_TOO_LONG)
    # Compared is what it costs as its author saw it: an account without an invoice may be further on.
    before = desk.tariff(agreed)
    _, cost = priced(*seen, agreed, before, session.limits, account.corrections)
    after, outputs = rebilled(
        desk,
        session,
        account,
        seen,
        terms,
        decision.ingest_us,
        corrections=account.corrections,
        decision=decision,
    )
    if (cost.currency, total_of(cost).kept) == (tariff.plan.tariff.currency, after.total):
        return Settled(account, refusal=_SAME)
    if session.state.revision == after.revision:
        return Settled(questioned(desk, session, after), outputs)
    after, more = review(desk, session, after, seen[0])
    return Settled(after, (*outputs, *more))
