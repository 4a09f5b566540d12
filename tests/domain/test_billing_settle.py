"""What records and decisions do to a session's bill: every state with every event.

Where they may lead the session is in one table (``machine.py``); here is what is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.bill import Bill
from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.standing import standing_of
from evcharge.domain.session import HeldReason
from evcharge.domain.session.machine import TABLE, Event
from evcharge.domain.session_record import SessionRecord
from tests.domain.billing_desk import (
    FakeDesk,
    Till,
    approve,
    correct,
    rerate,
    told,
    void,
)
from tests.domain.session_records import correction, end, minute, start, update

START = start(0, user_id="U1")
END = end(60, 10.0)
"""10 kWh at 0.50 and 20 % VAT: 6.00."""
OTHER_END = end(61, 11.0)
BEHIND = update(70, 10.0)
PARKED = update(30, 5.0, charging=False)
"""Half an hour of parking more, another 0.60; but no energy while it lasts."""
CORRECTED = correction(60, 20.0)


def active() -> Till:
    till = Till()
    till.send(START)
    return till


def held() -> Till:
    """No start: held before it was sealed."""
    till = Till()
    till.send(end(60, 10.0, user_id="U1"))
    return till


def invoiced() -> Till:
    till = active()
    till.send(END)
    return till


def nameless() -> Till:
    """Sealed without a user, so without an invoice."""
    till = Till()
    till.send(start(0), END)
    return till


def changed() -> Till:
    till = invoiced()
    till.send(CORRECTED)
    return till


def corrected() -> Till:
    till = invoiced()
    till.decide(correct(2, energy=5))
    return till


def voided() -> Till:
    till = invoiced()
    till.decide(void(2))
    return till


def seen(till: Till) -> int:
    return till.state.revision if till.state else 0


Happening = Callable[[Till], SessionRecord | Decision]
EVENTS: dict[str, tuple[Event | None, Happening]] = {
    # which event of the state machine it is; a re-rating is none, it bills anew what its author saw
    "end": (Event.END, lambda _: END),
    "reading behind": (Event.UPDATE, lambda _: BEHIND),
    "parking": (Event.UPDATE, lambda _: PARKED),
    "correction": (Event.CORRECTION, lambda _: CORRECTED),
    "user": (Event.UPDATE, lambda _: update(80, user_id="U1")),
    "approve": (Event.APPROVE, lambda till: approve(seen(till))),
    "correct": (
        Event.CORRECT,
        lambda till: correct(seen(till), energy=2, started_us=minute(0), ended_us=minute(9)),
    ),
    "void": (Event.VOID, lambda till: void(seen(till))),
    "rerate": (None, lambda till: rerate(seen(till), "1.00")),
}
STATES = (active, held, invoiced, nameless, changed, corrected, voided)

H, C, V, A = "held", "completed", "void", "active"
CELLS: dict[str, list[tuple[list[str], str]]] = {
    # state:    each event in the order of EVENTS: what is written, and what the session is then
    "active": [
        (["invoice 1: 600"], C),
        ([], A),
        ([], A),
        (["invoice 1: 1200"], C),
        ([], A),
        ([], A),
        (["invoice 1: 120"], C),
        ([], V),
        ([], A),
    ],
    "held": [
        ([], H),
        ([], H),
        ([], H),
        ([], H),
        ([], H),
        ([], H),
        (["invoice 1: 120"], C),
        ([], V),
        ([], H),
    ],
    "invoiced": [
        ([], C),
        ([], C),
        ([], H),
        ([], H),
        ([], C),
        ([], C),
        (["credit 1", "invoice 2: 120"], C),
        (["credit 1", "void 2"], V),
        (["credit 1", "invoice 2: 1200"], C),
    ],
    "nameless": [
        ([], C),
        ([], C),
        (["seal 2"], C),
        (["seal 2"], C),
        (["invoice 2: 600"], C),
        ([], C),
        (["seal 2"], C),
        (["void 2"], V),
        (["seal 2"], C),
    ],
    "changed": [
        ([], H),
        ([], H),
        ([], H),
        ([], H),
        ([], H),
        (["credit 1", "invoice 2: 1200"], C),
        (["credit 1", "invoice 2: 120"], C),
        (["credit 1", "void 2"], V),
        (["credit 1", "invoice 2: 2400"], C),
    ],
    "corrected": [
        ([], C),
        ([], C),
        ([], H),
        ([], H),
        ([], C),
        (["credit 2", "invoice 3: 600"], C),
        (["credit 2", "invoice 3: 120"], C),
        (["credit 2", "void 3"], V),
        (["credit 2", "invoice 3: 600"], C),
    ],
    "voided": [
        ([], V),
        ([], V),
        ([], V),
        ([], H),
        ([], V),
        (["invoice 3: 600"], C),
        (["invoice 3: 120"], C),
        ([], V),
        ([], V),
    ],
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES, ids=lambda each: each.__name__)
def test_every_event_in_every_state(state: Callable[[], Till], event: str) -> None:
    till = state()
    kind, happening = EVENTS[event]
    happens = happening(till)
    assert till.state is not None
    before = standing_of(till.state, till.account).standing
    outputs = till.send(happens) if isinstance(happens, SessionRecord) else till.decide(happens)
    assert till.state is not None
    stands = standing_of(till.state, till.account)
    written, standing = CELLS[state.__name__][list(EVENTS).index(event)]
    assert (told(outputs), stands.standing.value) == (written, standing)
    if kind is not None and (till.refusal is None or stands.standing is not before):
        assert stands.standing in TABLE[before][kind].into
    # Taken up twice, it changes nothing.
    again = till.send(happens) if isinstance(happens, SessionRecord) else till.decide(happens)
    assert again == []
    assert standing_of(till.state, till.account) == stands


def test_what_changes_an_invoice_gives_the_session_its_reason() -> None:
    till = changed()
    assert till.state is not None
    assert standing_of(till.state, till.account).reasons == (HeldReason.CHANGED_AFTER_INVOICE,)


def test_a_second_end_holds_an_invoiced_session_and_never_bills_it_twice() -> None:
    till = invoiced()
    assert till.send(OTHER_END) == []
    assert till.state is not None
    assert standing_of(till.state, till.account).reasons == (HeldReason.CONFLICTING_END,)
    assert told(till.decide(approve(3))) == []
    assert standing_of(till.state, till.account).reasons == ()


def test_a_decision_is_about_what_its_author_saw() -> None:
    till = invoiced()
    till.send(CORRECTED)
    assert told(till.decide(correct(2, energy=5))) == ["credit 1", "invoice 2: 300"]
    assert till.state is not None
    assert standing_of(till.state, till.account).reasons == (HeldReason.CHANGED_AFTER_INVOICE,)


def test_a_decision_that_did_not_know_of_another_one_is_not_accepted() -> None:
    till = held()
    assert told(till.decide(void(1, decisions=0))) == []
    fixes = correct(1, started_us=minute(0), decisions=0)
    assert (till.decide(fixes), till.refusal) == ([], "another decision came first")
    assert told(till.decide(fixes._replace(decision_id="D", decisions=1))) == ["invoice 1: 600"]


def test_a_decision_waits_for_the_records_that_it_is_about() -> None:
    till = Till()
    assert till.decide(correct(2, energy=5)) == []
    assert told(till.send(START, END)) == ["invoice 1: 600", "credit 1", "invoice 2: 300"]
    assert till.account is not None
    assert till.account.waiting is None


def test_an_earlier_decision_whose_records_come_late_does_not_overrule_a_later_one() -> None:
    till = Till()
    till.send(START)
    till.decide(approve(2))
    till.decide(void(1))
    assert told(till.send(END)) == []
    assert till.state is not None
    assert standing_of(till.state, till.account).reasons == (HeldReason.CHANGED_AFTER_INVOICE,)


def test_what_cannot_be_priced_cannot_be_approved() -> None:
    till = held()
    assert till.decide(approve(1)) == []
    assert till.refusal == "its start, end and energy are not all known, or contradict"


def test_a_session_whose_tariff_is_not_known_waits_for_it() -> None:
    desk = FakeDesk(price=None)
    till = Till(desk)
    assert till.send(START, END) == []
    assert till.state is not None
    stands = standing_of(till.state, till.account)
    assert (stands.standing, stands.reasons) == ("held", (HeldReason.NO_TARIFF,))
    assert till.decide(approve(2)) == []
    assert till.refusal == "its station names a tariff that is not known"
    desk.price = "0.50"
    assert told(till.decide(approve(2))) == ["invoice 1: 600"]
    assert standing_of(till.state, till.account).reasons == ()


def test_terms_are_frozen_with_the_first_bill() -> None:
    desk = FakeDesk()
    till = Till(desk)
    till.send(START, END)
    desk.price = "9.00"
    assert told(till.decide(correct(2, energy=5))) == ["credit 1", "invoice 2: 300"]


def test_a_re_rating_to_the_same_total_changes_nothing() -> None:
    till = invoiced()
    assert till.decide(rerate(2, "0.500")) == []
    assert till.refusal == "it costs the same"


def test_a_bill_tells_its_evidence_in_the_order_of_arrival() -> None:
    till = Till()
    (bill,) = till.send(END, START)
    assert isinstance(bill, Bill)
    assert bill.evidence == [(END.partition, END.offset), (START.partition, START.offset)]


def test_a_session_without_an_account_is_what_its_records_say() -> None:
    till = active()
    assert till.state is not None
    assert standing_of(till.state, None) == standing_of(till.state, Account())
