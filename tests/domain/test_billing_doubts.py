"""No bill is made of what is in doubt under its terms, and when a doubt comes and goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evcharge.domain.billing.standing import standing_of
from evcharge.domain.session import HeldReason
from evcharge.domain.session_record import SessionRecord
from tests.domain.billing_desk import LIMITS, FakeDesk, Till, approve, rerate, told
from tests.domain.session_records import correction, end, start, update

START = start(0, user_id="U1")
END = end(60, 10.0)


def doubtful(price: str = "0.50") -> FakeDesk:
    """Return a desk whose connectors give at most 5 kW."""
    desk = FakeDesk(price)
    desk.doubtful = True
    return desk


def reasons(till: Till) -> tuple[HeldReason, ...]:
    assert till.state is not None
    return standing_of(till.state, till.account).reasons


def test_a_session_in_doubt_under_its_terms_is_held_until_somebody_approves() -> None:
    desk = FakeDesk()
    desk.doubtful = True
    till = Till(desk)
    assert till.send(START, END) == []
    assert till.state is not None
    assert standing_of(till.state, till.account).reasons == (HeldReason.OVER_POWER,)
    desk.price = "9.00"  # the terms are frozen already
    assert told(till.decide(approve(2))) == ["invoice 1: 600"]
    assert standing_of(till.state, till.account).standing == "completed"


@pytest.mark.parametrize(
    "first", [end(60, 0.0, user_id="U1"), end(60, 5.0)], ids=["free", "nobody"]
)
def test_what_was_sealed_without_an_invoice_gets_none_in_doubt(first: SessionRecord) -> None:
    till = Till(doubtful())
    assert told(till.send(start(0), first)) == ["seal 1"]
    assert till.send(correction(60, 200.0, user_id="U1")) == []
    assert reasons(till) == (HeldReason.OVER_POWER,)
    assert told(till.send(correction(61, 4.0, user_id="U1"))) == ["invoice 2: 240"]
    assert reasons(till) == ()


def test_a_doubt_that_comes_up_behind_the_invoice_holds_the_session() -> None:
    till = Till(doubtful())
    assert told(till.send(START, end(60, 5.0))) == ["invoice 1: 300"]
    assert till.send(update(1, 4.9)) == []
    assert reasons(till) == (HeldReason.OVER_POWER,)
    assert till.decide(approve(3)) == []  # the same is billed already
    assert reasons(till) == ()
    till.send(update(2, 4.95))
    assert reasons(till) == ()


def test_a_doubt_is_gone_while_the_records_alone_hold_the_session() -> None:
    late, other = end(60, 5.0), end(61, 5.0)
    till = Till(doubtful())
    till.send(start(50, user_id="U1"))
    till.send(late)
    assert reasons(till) == (HeldReason.OVER_POWER,)
    till.send(other)
    assert reasons(till) == (HeldReason.CONFLICTING_END,)
    till.send(start(0))
    assert reasons(till) == (HeldReason.CONFLICTING_END,)


def test_whoever_decides_has_settled_what_the_terms_say_of_what_he_saw() -> None:
    till = Till(doubtful())
    till.send(START, end(60, 200.0), end(61, 200.0))
    assert told(till.decide(approve(3))) == ["invoice 1: 12000"]
    assert reasons(till) == ()


def test_many_records_behind_a_doubt_do_not_hide_which_of_them_settled_it() -> None:
    readings = [update(minutes, charging=True) for minutes in range(70, 170)]
    sent = [start(50, user_id="U1"), end(60, 5.0), start(0), *readings]
    singly, together = Till(doubtful()), Till(doubtful())
    for record in sent:
        singly.send(record)
    together.send(*sent)
    assert together.outputs == singly.outputs
    assert told(singly.outputs) == ["invoice 1: 300"]


def test_many_records_behind_a_bill_without_an_invoice_do_not_hide_which_of_them_is_invoiced() -> (
    None
):
    readings = [update(minutes, charging=True) for minutes in range(70, 170)]
    sent = [start(0), end(60, 10.0), update(61, user_id="U1"), correction(60, 20.0), *readings]
    singly, together = Till(), Till()
    for record in sent:
        singly.send(record)
    together.send(*sent)
    assert together.outputs == singly.outputs
    assert told(singly.outputs) == ["seal 1", "invoice 2: 600"]
    assert reasons(together) == reasons(singly) == (HeldReason.CHANGED_AFTER_INVOICE,)


def test_a_doubt_that_further_records_take_away_holds_nothing_back() -> None:
    till = Till(doubtful())
    till.send(START, END)
    assert told(till.send(correction(60, 4.0))) == ["invoice 1: 240"]


@pytest.mark.parametrize("price", ["0.00", "0.50"], ids=["sealed", "invoiced"])
def test_a_reading_behind_the_end_hides_a_doubt_if_it_brings_another_reason(price: str) -> None:
    within, behind = update(1, 3.9), update(70, user_id="U2")
    for chunks in ([[within], [behind]], [[behind], [within]], [[within, behind]]):
        till = Till(doubtful(price))
        till.send(START, end(60, 4.0))
        for chunk in chunks:
            till.send(*chunk)
        assert reasons(till) == (HeldReason.CONFLICTING_USER,)


def test_a_doubt_within_a_chunk_leaves_nothing_behind() -> None:
    sent = [start(0, meter=100.0), correction(60, meter=104.0)]
    more = [update(-1, meter=84.0), update(-2, meter=110.0), update(-3, meter=100.0)]
    singly, together = Till(doubtful()), Till(doubtful())
    for till in (singly, together):
        till.send(*sent)
    for record in more:
        singly.send(record)
    together.send(*more)
    assert together.account == singly.account
    assert together.outputs == singly.outputs


def test_a_chunk_with_one_record_too_many_bills_what_came_before_it() -> None:
    limits = replace(LIMITS, max_readings=4)
    sent = [
        *(start(0), end(60, 4.0), update(30, 2.0)),
        *(correction(60, 5.0, user_id="U1"), update(70)),
    ]
    for cut in range(1, len(sent)):
        till = Till(limits=limits)
        till.send(*sent[:cut])
        till.send(*sent[cut:])
        assert told(till.outputs) == ["seal 1", "invoice 2: 300"]


def test_a_re_rating_of_records_that_are_in_doubt_is_refused() -> None:
    till = Till(doubtful())
    till.send(start(0), end(60, 4.0), correction(60, 20.0, user_id="U1"))
    assert told(till.outputs) == ["seal 1"]
    assert till.decide(rerate(3, "1.00")) == []
    assert till.refusal == "what it is about is held under its terms"
