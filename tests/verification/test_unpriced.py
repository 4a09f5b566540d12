"""The checker knows by what was sealed which sessions were completed while billing was switched off."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcharge.domain.billing.decision import Decision
from evcharge.domain.session_record import SessionRecord
from evcharge.verification.bills import Found
from tables.charging_sessions import decode_session, encode_session, session_key
from tests.domain.billing_desk import approve, void
from tests.domain.session_records import PLUG_IN, correction, end, minute, start, update
from tests.verification.billed import Billed, tariff
from tests.verification.test_course import decisions, tidy_arrivals

RECORDS = [start(user_id="U1"), update(30, 4.0), end(60, 10.0)]
KEY = session_key("EV-001", "S1")


def switched_off() -> Billed:
    """Return a partition of a session that was completed while billing was switched off."""
    made = Billed()
    made.publish(tariff("0.50"))
    made.register(tariff_id="T1")
    made.step.books.is_billing = False
    return made.send(*RECORDS)


@given(
    tidy_arrivals(),
    decisions(),
    st.lists(st.sampled_from(["chunk", "decision", "switch"]), max_size=20),
)
def test_whatever_becomes_of_a_session_while_billing_is_switched_is_equal(
    chunks: list[list[SessionRecord]], log: list[Decision], order: list[str]
) -> None:
    billed = Billed()
    billed.publish(tariff("0.50"))
    billed.register(tariff_id="T1")
    books = billed.step.books
    books.is_billing = False
    for each in order:
        if each == "switch":
            books.is_billing = not books.is_billing
        elif each == "chunk" and chunks:
            billed.send(*chunks.pop(0))
        elif log:
            billed.decide(log.pop(0))
    for chunk in chunks:
        billed.send(*chunk)
    billed.decide(*log)

    assert list(billed.report().lines()) == []


def test_what_is_not_billed_is_counted() -> None:
    assert switched_off().report().compared["sessions not billed"] == 1


def _sealed(made: Billed) -> Found:
    (found,) = made.found_of("sealed-sessions")
    return found


def _changed(old: bytes, new: bytes) -> Callable[[Billed], dict[str, object]]:
    def instead(made: Billed) -> dict[str, object]:
        found = _sealed(made)
        value = (found.value or b"").replace(old, new)
        assert value != found.value
        return {"sealed": [found._replace(value=value)]}

    return instead


def _twice(made: Billed) -> dict[str, object]:
    return {"sealed": [_sealed(made)] * 2}


def _missing(_: Billed) -> dict[str, object]:
    return {"sealed": []}


def _billed_as_well(made: Billed) -> dict[str, object]:
    other = Billed()
    other.publish(tariff("0.50"))
    other.register(tariff_id="T1")
    other.send(*RECORDS)
    (bill,) = other.found_of("sealed-sessions")
    second = (bill.value or b"").replace(b'"bill":1', b'"bill":2')
    return {"sealed": [_sealed(made), bill._replace(value=second)]}


def _invoiced(made: Billed) -> dict[str, object]:
    other = Billed()
    other.publish(tariff("0.50"))
    other.register(tariff_id="T1")
    other.send(*RECORDS)
    return {"invoices": other.found_of("invoices")}


def _row_says_nothing(made: Billed) -> dict[str, object]:
    row = decode_session(made.step.rows[KEY])
    unsealed = type(row)(row.blocks, row.state, row.waiting, row.tail)
    return {"rows": made.step.rows | {KEY: encode_session(unsealed)}}


@pytest.mark.parametrize(
    "instead",
    [
        _changed(b'"energy_kwh":"10"', b'"energy_kwh":"11"'),
        _changed(b'"revision":3', b'"revision":2'),
        _changed(b'"cost":null', b'"cost":{}'),
        _changed(b'"bill":1', b'"bill":2'),
        _twice,
        _missing,
        _billed_as_well,
        _invoiced,
        _row_says_nothing,
    ],
)
def test_what_is_not_as_it_was_sealed_is_found(
    instead: Callable[[Billed], dict[str, object]],
) -> None:
    made = switched_off()
    assert made.sorts() == []
    assert made.sorts(**instead(made)) != []


def test_a_price_that_was_taken_from_a_bill_is_found() -> None:
    made = Billed()
    made.publish(tariff("0.50"))
    made.register(tariff_id="T1")
    made.send(*RECORDS)
    assert made.sorts(sealed=switched_off().found_of("sealed-sessions")) != []


@pytest.mark.parametrize("is_billing", [False, True])
def test_a_running_session_costs_nothing_while_billing_is_switched_off(is_billing: bool) -> None:
    made = Billed()
    made.publish(tariff("0.50"))
    made.register(tariff_id="T1")
    made.step.books.is_billing = is_billing
    _, checked = made.send(*RECORDS[:2]).checked()
    (cost,) = checked.sessions["EV-001", "S1"].costs(PLUG_IN)
    assert (cost is not None) == is_billing


def test_late_records_and_refused_decisions_of_it_are_equal() -> None:
    made = switched_off()
    made.send(end(70, 12.0)).decide(approve(4, ingest_us=minute(80)))
    made.step.books.is_billing = True
    made.decide(void(4, ingest_us=minute(90))).send(correction(100, 13.0))
    report, checked = made.checked()
    assert list(report.lines()) == []
    assert len(checked.refused) == 2
    assert checked.sessions["EV-001", "S1"].costs(PLUG_IN) == [None]
