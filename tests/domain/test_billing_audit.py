"""Sealed sessions read back: priced again, re-rated, audited."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from evcharge.domain.billing.audit import Numbers, audit, audit_credit_note, audit_successor
from evcharge.domain.billing.bill import Bill
from evcharge.domain.billing.rerate import RerateReport, is_to_be_rerated, rerated
from evcharge.domain.billing.sealed import Sealed
from evcharge.domain.billing.series import Issuer, Series
from evcharge.domain.pricing import Plan
from evcharge.domain.session_record import SessionRecord
from evcharge.events.invoice import encode_credit_note, encode_invoice, issuer_bytes
from evcharge.events.sealed_reading import SealedError, read_sealed_session
from evcharge.events.sealed_session import encode_bill
from tests.domain.billing_desk import FakeDesk, Till, correct, per_kwh, rerate, void
from tests.domain.session_records import end, minute, start, update
from tests.domain.strategies import plausible_sessions
from tests.domain.test_billing_properties import decisions, orders, played

ISSUER = issuer_bytes(Issuer("Watt"))
RECORDS = (start(0, user_id="U1"), update(30, 4.0, charging=False), end(60, 10.0))


def billed(energy: float = 10.0, user_id: str | None = "U1", price: str = "0.50") -> Bill:
    (bill,) = Till(FakeDesk(price)).send(start(0, user_id=user_id), end(60, energy))
    assert isinstance(bill, Bill)
    return bill


def sealed(bill: Bill) -> Sealed:
    return read_sealed_session(encode_bill(bill))


def invoice(bill: Bill) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode_invoice(bill, "2026-01-000001", ISSUER))
    return document


@given(plausible_sessions(), decisions(), orders)
def test_what_was_sealed_is_read_back_and_its_audit_is_clean(
    records: list[SessionRecord], log: list[Any], order: list[bool]
) -> None:
    issued: dict[int, bytes] = {}
    note = None
    for bill in played(records, log, order, "0.50").outputs:
        if not isinstance(bill, Bill):
            note = json.loads(
                encode_credit_note(
                    issued[bill.bill], "EV-001", "S1", bill.bill, "2", bill.credited_us
                )
            )
            assert audit_credit_note(note, json.loads(issued[bill.bill])) == []
            continue
        read = sealed(bill)
        if note is not None:
            assert audit_successor(note, read) == []
            note = None
        assert (read.facts, read.terms) == (bill.facts, bill.terms)
        started_us, zone, segments = read.usage
        assert (started_us, zone.key) == (bill.facts.started_us, bill.terms.time_zone)
        assert segments == bill.segments
        assert read.document == bill.tariff.document
        assert read.total == (bill.cost.excl_vat, bill.cost.incl_vat)
        found = invoice(bill) if bill.is_invoiced else None
        assert audit(read, bill.tariff.plan, found, issuers=[Issuer("Watt")]) == []
        issued[bill.number] = json.dumps(found).encode()


@pytest.mark.parametrize(
    ("value", "told"), [(b"x", "malformed"), (b"{}", "missing required field"), (b"[]", "object")]
)
def test_what_evcharge_did_not_write_is_not_read(value: bytes, told: str) -> None:
    with pytest.raises(SealedError, match=told):
        read_sealed_session(value)


def test_a_sealed_session_of_another_shape_is_not_read() -> None:
    record = json.loads(encode_bill(billed()))
    others: tuple[dict[str, Any], ...] = (
        {"v": 2},
        {"segments": [[9, 1, 1, None, None]]},
        {"segments": []},
        {"started_at": "yesterday"},
        {"cost": {}},
        {"terms": record["terms"] | {"time_zone": "Mars/Olympus"}},
    )
    for changed in others:
        with pytest.raises(SealedError):
            read_sealed_session(json.dumps(record | changed).encode())


def test_the_audit_finds_what_was_changed() -> None:
    bill = billed()
    good, plan = invoice(bill), bill.tariff.plan
    for member, value in (("user_id", "U9"), ("energy_kwh", "9"), ("issued_at", "x")):
        (found,) = audit(sealed(bill), plan, good | {member: value})
        assert (found.what, found.found) == (f"invoice.{member}", value)
    (found,) = audit(sealed(bill), plan, good | {"cost": good["cost"] | {"incl_vat": "6.01"}})
    assert found.what == "invoice.cost.incl_vat"
    assert [each.what for each in audit(sealed(bill), plan, None)] == ["invoice"]
    assert [each.what for each in audit(sealed(billed(user_id=None)), plan, good)] == ["invoice"]
    other = Plan(per_kwh("0.60"), 7)
    wrong = ("excl_vat", "incl_vat", "vat", "tariff_id", "lines")
    assert [each.what for each in audit(sealed(bill), other, good)] == [
        *(f"cost.{member}" for member in wrong),
        *(f"invoice.cost.{member}" for member in wrong),
    ]
    (found,) = audit(sealed(bill), plan, good, issuers=[Issuer("Volt"), Issuer("Ohm")])
    assert found == ("invoice.issuer.name", "Watt", "Volt")
    (found,) = audit(sealed(bill), plan, good, is_credited=True)
    assert (found.what, found.found, found.expected) == ("credit note", "one", "none")
    assert audit(sealed(bill), plan, good, is_credited=True, is_last=False) == []
    (found,) = audit(sealed(bill), plan, good, is_last=False)
    assert (found.found, found.expected) == ("none", "one")


def test_the_audit_compares_segments_with_what_was_billed() -> None:
    read = sealed(billed())
    (segment,) = read.usage.segments
    for changed in (
        segment._replace(duration_us=segment.duration_us - 1),
        segment._replace(energy_uwh=segment.energy_uwh - 1),
    ):
        usage = read.usage._replace(segments=(changed,))
        assert audit(read._replace(usage=usage), billed().tariff.plan, invoice(billed()))


def test_a_void_record_has_no_invoice() -> None:
    till = Till()
    till.send(*RECORDS)
    bill = till.decide(void(3))[-1]
    assert isinstance(bill, Bill)
    assert audit(sealed(bill), bill.tariff.plan, None) == []
    assert [each.what for each in audit(sealed(bill), bill.tariff.plan, invoice(bill))] == [
        "invoice"
    ]


def test_a_credit_note_is_the_opposite_of_its_invoice() -> None:
    bill = billed()
    theirs = encode_invoice(bill, "2026-01-000001", ISSUER)
    mine = json.loads(encode_credit_note(theirs, "EV-001", "S1", 1, "2026-01-000002", 0))
    assert audit_credit_note(mine, invoice(bill)) == []
    wrong = mine | {"cost": mine["cost"] | {"incl_vat": "-6.01"}, "user_id": "U9"}
    assert [each.what for each in audit_credit_note(wrong, invoice(bill))] == [
        "credit_note.user_id",
        "credit_note.cost.incl_vat",
    ]
    (found,) = audit_credit_note(mine, {"kind": "invoice"})
    assert (found.what, found.expected) == ("invoice", "one that can be credited")


def test_a_credit_note_was_issued_with_the_bill_behind_and_a_void_one_keeps_its_facts() -> None:
    till = Till()
    till.send(*RECORDS)
    _, bill = till.decide(void(3))
    assert isinstance(bill, Bill)
    read = sealed(bill)
    note = invoice(bill)
    assert audit_successor(note, read) == []
    for member in ("issued_at", "user_id", "started_at", "ended_at", "time_zone", "energy_kwh"):
        (found,) = audit_successor(note | {member: "x"}, read)
        assert found.what == f"credit_note.{member}"


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [
        (["2026-01-000001", "2026-01-000002"], []),
        (["2026-01-000001", "2026-01-000003", "2026-01-000004"], ["2026-01-000003"]),
        (["2026-01-000001", "2026-01-000001", "2026-01-000002"], ["2026-01-000001"]),
        (["2026-01-000002"], ["2026-01-000002"]),
        (["2025-01-000001", "2026-01-000002"], ["2025-01-000001"]),
        (["2026-02-000001"], ["2026-02-000001"]),
        (["17", "2026-01-000002"], ["17"]),
    ],
)
def test_numbers_of_a_series_count_from_1_without_a_gap(
    numbers: list[str], wrong: list[str]
) -> None:
    counted = Numbers()
    found = [counted.add(Series("i", 2026, 1), number) for number in numbers]
    assert [mismatch.found for each in found for mismatch in each] == wrong


def test_each_series_counts_for_itself() -> None:
    counted = Numbers()
    for issuer, year, lane in (("i", 2026, 1), ("j", 2026, 1), ("i", 2027, 1), ("i", 2026, 63)):
        assert counted.add(Series(issuer, year, lane), f"{year}-{lane:02}-000001") == []
    assert list(counted.counters.values()) == [1, 1, 1, 1]


def test_a_re_rating_prices_the_sealed_segments_under_the_other_tariff() -> None:
    old, new = rerated(sealed(billed()), Plan(per_kwh("1.00")))
    assert (old.incl_vat, new.incl_vat) == (600, 1200)
    assert is_to_be_rerated(sealed(billed()), new)


def test_a_re_rating_is_the_same_as_what_its_decision_bills() -> None:
    till = Till()
    (bill,) = till.send(*RECORDS)
    assert isinstance(bill, Bill)
    _, new = rerated(sealed(bill), Plan(per_kwh("0.70")))
    decided = till.decide(rerate(3, "0.70"))[-1]
    assert isinstance(decided, Bill)
    assert decided.cost == new
    _, again = rerated(sealed(decided), Plan(per_kwh("0.70")))
    assert not is_to_be_rerated(sealed(decided), again), "run twice, it does nothing"


def test_what_nobody_pays_is_not_re_rated() -> None:
    nameless = sealed(billed(user_id=None))
    assert not is_to_be_rerated(nameless, rerated(nameless, Plan(per_kwh("1.00"))).new)
    free = sealed(billed(price="0.00"))
    assert is_to_be_rerated(free, rerated(free, Plan(per_kwh("1.00"))).new)
    till = Till()
    till.send(*RECORDS)
    bill = till.decide(void(3))[-1]
    assert isinstance(bill, Bill)
    assert not is_to_be_rerated(sealed(bill), rerated(sealed(bill), Plan(per_kwh("9"))).new)


def test_a_report_keeps_totals_and_the_biggest_differences_only() -> None:
    report = RerateReport(most_differences=3)
    plan = Plan(per_kwh("0.60"))
    for energy in (10.0, 0.0, 50.0, 30.0, 20.0, 40.0):
        read = sealed(billed(energy))
        report.add(read, rerated(read, plan).new)
    till = Till()
    till.send(*RECORDS)
    gone = till.decide(void(3))[-1]
    assert isinstance(gone, Bill)
    report.add(sealed(gone), gone.cost)
    assert (report.sessions, report.changed) == (6, 5)
    assert (report.billed.old, report.billed.new) == ({"EUR": 9000}, {"EUR": 10800})
    assert (report.credit_notes, report.invoices, report.tariffs) == (5, 5, {"T-0.50": 6})
    assert [(each.old, each.new) for each in report.biggest] == [
        (3000, 3600),
        (2400, 2880),
        (1800, 2160),
    ]


def test_a_report_without_differences_to_show_still_counts_them() -> None:
    report = RerateReport(most_differences=0)
    read = sealed(billed())
    report.add(read, rerated(read, Plan(per_kwh("0.60", "JPY"))).new)
    assert (report.changed, report.biggest) == (1, [])
    assert set(report.billed.old) == {"EUR"}
    assert set(report.billed.new) == {"JPY"}


def test_what_sessions_without_a_user_would_cost_is_told_apart() -> None:
    report = RerateReport()
    plan = Plan(per_kwh("0.60"))
    for user_id in ("U1", None):
        read = sealed(billed(user_id=user_id))
        assert report.add(read, rerated(read, plan).new) == (user_id is not None)
    assert (report.sessions, report.changed) == (2, 1)
    assert (report.billed.new, report.nameless.new) == ({"EUR": 720}, {"EUR": 720})


def test_of_another_currency_the_new_total_says_how_big_a_difference_is() -> None:
    report = RerateReport()
    read = sealed(billed())
    report.add(read, rerated(read, Plan(per_kwh("0.60", "JPY"))).new)
    (found,) = report.biggest
    assert (found.size, found.old_currency, found.currency) == (found.new, "EUR", "JPY")


@pytest.mark.parametrize(
    ("records", "values"),
    [
        (RECORDS, {"energy": 5}),
        ((*RECORDS[1:], update(40, 4.5, user_id="U1")), {"started_us": minute(0)}),
        ((*RECORDS[:2], end(-5, 10.0)), {"ended_us": minute(60)}),
        ((*RECORDS[:2], update(40, 4.5)), {"ended_us": minute(60), "energy": 5}),
    ],
)
def test_a_corrected_bill_is_re_rated_as_it_was_corrected(
    records: tuple[SessionRecord, ...], values: dict[str, Any]
) -> None:
    till = Till()
    till.send(*records)
    bill = till.decide(correct(3, **values))[-1]
    assert isinstance(bill, Bill)
    read = sealed(bill)
    assert read.usage.segments == bill.segments
    assert audit(read, bill.tariff.plan, invoice(bill)) == []
    _, new = rerated(sealed(bill), Plan(per_kwh("1.00")))
    decided = till.decide(rerate(3, "1.00"))[-1]
    assert isinstance(decided, Bill)
    assert decided.cost == new
