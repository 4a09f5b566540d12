"""What records of ``invoices`` look like."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcharge.domain.billing.bill import Bill
from evcharge.domain.billing.credit_note import negative
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.printed import printed
from evcharge.domain.billing.series import Issuer, Series, next_number, series_of
from evcharge.domain.session_record import SessionRecord
from evcharge.events.invoice import MODEL, encode_credit_note, encode_invoice, issuer_bytes
from tests.domain.billing_desk import Till, correct
from tests.domain.session_records import end, start, update
from tests.domain.strategies import plausible_sessions

ISSUER = Issuer("Watt & Söhne", "Main Street 1; 1234 Town", "DE123")


def bill_of(*records: SessionRecord) -> Bill:
    """Return the bill of a session."""
    bill = Till().send(*records)[0]
    assert isinstance(bill, Bill)
    return bill


BILL = bill_of(
    start(0, meter=4000.0, user_id="U1"),
    update(30, meter=4010.0, charging=False),
    end(65, meter=4010.123456789),
)


def written(bill: Bill = BILL) -> dict[str, Any]:
    invoice: dict[str, Any] = json.loads(
        encode_invoice(bill, "2026-17-000123", issuer_bytes(ISSUER))
    )
    return invoice


def credited(bill: Bill = BILL) -> dict[str, Any]:
    invoice = encode_invoice(bill, "2026-17-000123", issuer_bytes(ISSUER))
    note: dict[str, Any] = json.loads(
        encode_credit_note(invoice, "EV-001", "S1", 1, "2026-17-000124", 1_700_000_000_000_000)
    )
    return note


def test_an_invoice_has_the_members_of_the_contract_in_its_order() -> None:
    invoice = written()
    MODEL.validate_python(invoice)
    assert list(invoice) == [
        *("v", "invoice_id", "number", "kind", "credits", "subject", "station_id", "user_id"),
        *("started_at", "ended_at", "time_zone", "meter_start_kwh", "meter_end_kwh"),
        *("energy_kwh", "cost"),
        *("issuer", "issued_at"),
    ]
    assert (invoice["kind"], invoice["credits"]) == ("invoice", None)
    assert invoice["subject"] == {"session_id": "S1"}
    assert (invoice["meter_start_kwh"], invoice["meter_end_kwh"]) == ("4000", "4010.123456789")
    assert invoice["energy_kwh"] == "10.123456789"
    assert invoice["ended_at"] == "2023-05-01T11:20:30Z"
    assert invoice["issued_at"] == "2023-05-01T11:20:31Z"
    assert invoice["issuer"] == {
        "name": "Watt & Söhne",
        "address": "Main Street 1; 1234 Town",
        "vat_id": "DE123",
    }
    assert invoice["cost"]["excl_vat"] == "5.65"


def test_a_corrected_energy_shows_no_registers() -> None:
    till = Till()
    till.send(start(0, meter=1.0, user_id="U1"), end(60, meter=3.0))
    _, bill = till.decide(correct(2, energy=1.5))
    assert isinstance(bill, Bill)
    invoice = written(bill)
    assert (invoice["energy_kwh"], invoice["meter_start_kwh"]) == ("1.5", None)
    assert invoice["issued_at"].startswith("2023-11-14T22:13:20")


def test_a_credit_note_negates_every_amount_and_nothing_else() -> None:
    invoice, note = written(), credited()
    MODEL.validate_python(note)
    assert list(note) == list(invoice)
    assert list(note["cost"]) == list(invoice["cost"])
    assert note["kind"] == "credit_note"
    assert note["credits"] == {"invoice_id": invoice["invoice_id"], "number": "2026-17-000123"}
    assert note["number"] == "2026-17-000124"
    assert note["issued_at"] == "2023-11-14T22:13:20Z"
    same = ("subject", "station_id", "user_id", "started_at", "ended_at", "energy_kwh", "issuer")
    assert [note[name] for name in same] == [invoice[name] for name in same]
    for mine, theirs in (
        (note["cost"], invoice["cost"]),
        *zip(note["cost"]["lines"], invoice["cost"]["lines"], strict=True),
        *zip(note["cost"]["vat"], invoice["cost"]["vat"], strict=True),
    ):
        for name in mine:
            if name in {"excl_vat", "incl_vat", "base", "amount"}:
                assert Decimal(mine[name]) == -Decimal(theirs[name])
            elif name not in {"lines", "vat"}:
                assert mine[name] == theirs[name]


def test_a_credit_note_is_not_credited() -> None:
    with pytest.raises(ValueError, match="is no invoice"):
        encode_credit_note(json.dumps(credited()).encode(), "EV-001", "S1", 1, "n", 0)


@pytest.mark.parametrize(
    ("amount", "opposite"),
    [("5.00", "-5.00"), ("-5.00", "5.00"), ("0", "0"), ("0.00", "0.00"), ("0.01", "-0.01")],
)
def test_the_opposite_of_an_amount(amount: str, opposite: str) -> None:
    assert negative(amount) == opposite


def test_an_invoice_id_is_a_function_of_session_and_bill() -> None:
    ids = {
        invoice_id(kind, station, session, bill)
        for kind in Kind
        for station, session in (("EV-1", "S1"), ("EV-2", "S1"), ("EV-1", "S2"), ("EV-1S", "1"))
        for bill in (1, 2)
    }
    assert len(ids) == 16
    assert written()["invoice_id"] == invoice_id(Kind.INVOICE, "EV-001", "S1", 1)


def test_numbers_of_a_series_have_no_gap() -> None:
    series, counter, numbers = Series("0a1b2c3d", 2026, 7), 0, []
    for _ in range(3):
        number, counter = next_number(series, counter)
        numbers.append(number)
    assert numbers == ["2026-07-000001", "2026-07-000002", "2026-07-000003"]
    assert counter == 3
    assert next_number(series, 999_999)[0] == "2026-07-1000000"


def test_a_series_is_issuer_year_in_utc_and_lane() -> None:
    new_year = 1_767_225_600_000_000
    assert series_of(ISSUER.key, 3, new_year - 1) == Series(ISSUER.key, 2025, 3)
    assert series_of(ISSUER.key, 3, new_year) == Series(ISSUER.key, 2026, 3)
    moved = ISSUER._replace(name="Watt", address="Elsewhere")
    assert moved.key == ISSUER.key
    assert ISSUER._replace(vat_id="DE124").key != ISSUER.key
    assert Issuer("A").key != Issuer("B").key


@given(plausible_sessions())
def test_every_invoice_and_credit_note_follows_the_model(records: list[SessionRecord]) -> None:
    for bill in Till().send(*records):
        assert isinstance(bill, Bill)
        if bill.is_invoiced:
            MODEL.validate_python(written(bill))
            MODEL.validate_python(credited(bill))


amounts = st.decimals(0, 100, places=4)


@given(
    st.lists(st.tuples(amounts, st.sampled_from(["0", "7", "19", "5.5"])), min_size=1, max_size=6),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.booleans(),
)
def test_what_is_printed_adds_up_in_every_column(
    parts: list[tuple[Decimal, str]], currency: str, is_credit: bool
) -> None:
    minor = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
    sign = -1 if is_credit else 1

    def total(amount: Decimal) -> str:
        rounded = (amount * 10**minor + Decimal("0.5")) // 1
        return str(sign * rounded / 10**minor)

    rates = sorted({rate for _, rate in parts})
    bases = [sum(p for p, r in parts if r == rate) for rate in rates]
    vats = [base * Decimal(rate) / 100 for base, rate in zip(bases, rates, strict=True)]
    excl, vat = Decimal(sum(bases)), Decimal(sum(vats))
    shown = printed(
        {
            "currency": currency,
            "excl_vat": total(excl),
            "incl_vat": total(excl + vat),
            "vat": [
                {"percent": r, "base": str(sign * b), "amount": str(sign * v)}
                for r, b, v in zip(rates, bases, vats, strict=True)
            ],
            "lines": [{"excl_vat": str(sign * p)} for p, _ in parts],
        }
    )
    assert sum(shown.lines) == sum(row.base for row in shown.vat) == shown.excl
    assert sum(row.vat for row in shown.vat) == shown.vat_total
    assert sum(row.incl for row in shown.vat) == shown.incl
    unit = Decimal(10) ** minor
    exact = [sign * p * unit for p, _ in parts]
    assert all(abs(a - b) < 1 for a, b in zip(shown.lines, exact, strict=True))
    assert all(abs(row.vat - sign * v * unit) < 1 for row, v in zip(shown.vat, vats, strict=True))


def test_a_credit_note_prints_its_invoice_negated() -> None:
    mine, theirs = printed(credited()["cost"]), printed(written()["cost"])
    assert mine.lines == tuple(-each for each in theirs.lines)
    assert [(row.base, row.vat) for row in mine.vat] == [(-r.base, -r.vat) for r in theirs.vat]
    assert (mine.excl, mine.incl) == (-theirs.excl, -theirs.incl)
