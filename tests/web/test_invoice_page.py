"""The printable invoice: what a bookkeeper reads on it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from evcharge.domain.billing.bill import Bill
from evcharge.domain.billing.series import Issuer
from evcharge.events.invoice import encode_credit_note, encode_invoice, issuer_bytes
from evcharge.web.invoice_page import POLICY, invoice_page, missing_invoice_page
from tests.domain.billing_desk import Till
from tests.domain.session_records import end, start, update

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
ISSUER = Issuer("Watt & Söhne", "Main Street 1; 1234 Town", "DE123456789")


def issued() -> bytes:
    records = start(0, meter=4000.0, user_id="U1"), update(30, meter=4010.0, charging=False)
    (bill,) = Till().send(*records, end(50, meter=4010.123456789))
    assert isinstance(bill, Bill)
    return encode_invoice(bill, "2026-17-000123", issuer_bytes(ISSUER))


def invoice(**members: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(issued())
    return document | members


def credit_note() -> dict[str, Any]:
    note: dict[str, Any] = json.loads(
        encode_credit_note(issued(), "EV-001", "S1", 1, "2026-17-000124", 1_700_000_000_000_000)
    )
    return note


def cost(currency: str, excl: str, incl: str, amount: str = "1") -> dict[str, Any]:
    found: dict[str, Any] = invoice()["cost"]
    line = found["lines"][0] | {"excl_vat": amount, "price": "1"}
    row = {"percent": "0", "base": amount, "amount": "0"}
    totals = {"currency": currency, "excl_vat": excl, "incl_vat": incl}
    return found | totals | {"lines": [line], "vat": [row]}


def text(page: str) -> str:
    body = page.partition("<body>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_an_invoice_tells_who_what_when_and_how_much() -> None:
    shown = text(invoice_page(invoice()))
    for told in (
        "Invoice 2026-17-000123",
        "Watt &amp; Söhne Main Street 1 1234 Town VAT ID DE123456789",
        "Issued 2023-05-01 Date of supply 2023-05-01 Customer U1",
        "Charging station EV-001 Session S1 Energy 10.123456789 kWh",
        "Start 2023-05-01 12:15:30 +02:00 End 2023-05-01 13:05:30 +02:00",
        "Meter at start 4000 kWh Meter at end 4010.123456789 kWh",
        "Energy 10.124 kWh 0.50 / kWh 20 % 5.06",
        "Parking time (plugged in, not charging) 0.333333 h 1.00 / h 20 % 0.34",
        "Total without VAT 5.40 VAT 1.07 Total EUR 6.47",
        "20 % 5.40 1.07 6.47 Total 5.40 1.07 6.47",
    ):
        assert told in shown
    assert "Credit" not in shown


def test_times_are_local_to_the_session_and_name_their_zone() -> None:
    night = {"started_at": "2023-10-29T00:30:00.25Z", "ended_at": "2023-12-31T23:30:00Z"}
    shown = text(invoice_page(invoice(**night)))
    assert "Start 2023-10-29 02:30:00.25 +02:00 End 2024-01-01 00:30:00 +01:00" in shown
    assert "Date of supply 2024-01-01" in shown
    assert "All times are in the time zone Europe/Paris." in shown


def test_a_credit_note_is_marked_and_names_its_invoice() -> None:
    note = credit_note()
    page = invoice_page(note)
    shown = text(page)
    assert "Credit note 2026-17-000124 Credits invoice 2026-17-000123 in full." in shown
    assert f'<a href="/invoices/{invoice()["invoice_id"]}">2026-17-000123</a>' in page
    assert "Total credited EUR -6.47" in shown
    assert "20 % -5.40 -1.07 -6.47" in shown
    assert "Issued 2023-11-14 Date of supply 2023-05-01" in shown


@pytest.mark.parametrize(
    ("currency", "total", "shown"),
    [("JPY", "5", "JPY 5 "), ("EUR", "5.00", "EUR 5.00 "), ("KWD", "5.000", "KWD 5.000 ")],
)
def test_amounts_have_the_digits_of_their_currency(currency: str, total: str, shown: str) -> None:
    page = text(invoice_page(invoice(cost=cost(currency, total, total, "5"))))
    assert f"Total {shown}" in page
    price = {"JPY": "1 / kWh", "EUR": "1.00 / kWh", "KWD": "1.000 / kWh"}[currency]
    assert price in page


def test_what_is_not_known_is_left_out() -> None:
    nobody = {"name": "", "address": "", "vat_id": ""}
    shown = text(invoice_page(invoice(meter_start_kwh=None, meter_end_kwh=None, issuer=nobody)))
    assert "Meter" not in shown
    assert "VAT ID" not in shown


def test_adjustments_have_an_amount_only() -> None:
    adjusted = cost("EUR", "2.00", "2.00", "2")
    adjusted["lines"][0] |= {"dimension": "MAX_PRICE", "vat_percent": None}
    shown = text(invoice_page(invoice(cost=adjusted)))
    assert "Adjustment to the maximum price VAT alone 2.00" in shown
    assert "Adjustment, 0 % 2.00 0.00 2.00" in shown, "no price of the session has this rate"


def test_the_invoice_of_a_reservation_names_it() -> None:
    assert "Reservation R1" in text(invoice_page(invoice(subject={"reservation_id": "R1"})))


def test_every_text_is_only_text() -> None:
    hostile = dict.fromkeys(("name", "address", "vat_id"), HOSTILE)
    strange = cost("EUR", "1.00", "1.00") | {"tariff_id": HOSTILE}
    strange["lines"][0] |= {"dimension": HOSTILE, "unit": HOSTILE, "vat_percent": HOSTILE}
    page = invoice_page(
        invoice(
            number=HOSTILE,
            user_id=HOSTILE,
            station_id="{style}",
            issuer=hostile,
            cost=strange,
            credits={"invoice_id": '"><script>', "number": HOSTILE},
        )
    )
    assert "<img" not in page
    assert "<script" not in page
    assert "{style}" in page
    assert "&lt;script&gt;" in missing_invoice_page("<script>")


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = invoice_page(invoice())
    assert not re.search(r"\bsrc=|url\(|@import|<link|<script", page)
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/]{43}='", POLICY)


def test_an_id_that_no_invoice_has_is_told_so() -> None:
    assert "There is no invoice abc." in missing_invoice_page("abc")
