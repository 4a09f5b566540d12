"""The checker of bills: what was billed twice, otherwise, or not at all is found, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from evcharge.billing.waiting import refused
from evcharge.domain.quantities import DAY_US
from evcharge.domain.session import Limits
from evcharge.engine.chunk import FirstArrival
from evcharge.verification.bills import Found
from tables.charging_sessions import decode_session, session_key
from tables.invoices import encode_counter, tariff_key
from tables.waiting_decisions import WaitingDecision, decode_waiting, encode_waiting
from tests.domain.billing_desk import approve, correct, rerate, void
from tests.domain.session_records import PLUG_IN, correction, end, minute, start, update
from tests.verification.billed import ISSUER, Billed, tariff

SEALED, INVOICES = "sealed-sessions", "invoices"
RECORDS = [start(user_id="U1"), update(30, 4.0), end(60, 10.0)]


def billed(*, zone: str = "Europe/Paris") -> Billed:
    """Return a partition of one session that was invoiced, changed, and billed anew."""
    made = Billed()
    made.publish(tariff("0.50"))
    made.register(tariff_id="T1", time_zone=zone)
    made.send(*RECORDS)
    made.send(correction(60, 12.0))
    made.decide(approve(4, ingest_us=minute(90)))
    return made


def test_what_the_agents_bill_is_equal() -> None:
    made = billed()

    assert len(made.found_of(SEALED)) == 2
    assert len(made.found_of(INVOICES)) == 3  # an invoice, its credit note, and another invoice
    assert list(made.report().lines()) == []
    made.decide(void(4, ingest_us=minute(95)), correct(4, 3.0, ingest_us=minute(99)))
    assert list(made.report().lines()) == []


@pytest.mark.parametrize("topic", [SEALED, INVOICES])
def test_a_record_that_is_there_twice_is_found(topic: str) -> None:
    made = billed()
    records = made.found_of(topic)
    instead = {"sealed" if topic == SEALED else "invoices": [*records, records[0]]}

    assert made.sorts(**instead) == ["repeated"]


@pytest.mark.parametrize("number", [0, 1])
def test_a_sealed_session_that_is_not_there_is_found(number: int) -> None:
    made = billed()
    records = made.found_of(SEALED)
    del records[number]

    sorts = made.sorts(sealed=records)
    assert sorts[0] in {"changed", "missing"}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_invoice_that_is_not_there_is_found(number: int) -> None:
    made = billed()
    records = made.found_of(INVOICES)
    del records[number]

    sorts = made.sorts(invoices=records)
    assert {"missing", "changed"} & set(sorts), sorts
    # the last number is not missed by those before it, but by the counter
    assert "changed" in sorts if number == 2 else "not consecutive" in sorts


SEALED_CHANGES = [
    (b'"energy_kwh":"10"', b'"energy_kwh":"11"'),
    (b'"revision":3', b'"revision":2'),
    (b'"tariff_version":1', b'"tariff_version":2'),
    (b'"price":"0.5"', b'"price":"0.4"'),
    (b"Europe/Paris", b"Europe/Rome"),
    (b'"incl_vat":"6.00"', b'"incl_vat":"6.01"'),
    (b'"user_id":"U1"', b'"user_id":"U2"'),
    (b'"v":1', b'"v":2'),
]


@pytest.mark.parametrize(("old", "new"), SEALED_CHANGES, ids=str)
def test_a_changed_fact_of_a_sealed_session_is_found(old: bytes, new: bytes) -> None:
    made = billed()
    first, *others = made.found_of(SEALED)
    value = (first.value or b"").replace(old, new)
    assert value != first.value

    assert "changed" in made.sorts(sealed=[first._replace(value=value), *others])


INVOICE_CHANGES = [
    (rb'"number":"(\d+)-', rb'"number":"9\1-'),
    (rb'"incl_vat":"6.00"', rb'"incl_vat":"6.01"'),
    (rb'"issued_at":"2023', rb'"issued_at":"2022'),
    (rb'"name":"[^"]*"', rb'"name":"Other"'),
    (rb'"kind":"invoice"', rb'"kind":"credit_note"'),
    (rb'"user_id":"U1"', rb'"user_id":"U2"'),
]


@pytest.mark.parametrize(("old", "new"), INVOICE_CHANGES, ids=str)
def test_a_changed_fact_of_an_invoice_is_found(old: bytes, new: bytes) -> None:
    made = billed()
    first, *others = made.found_of(INVOICES)
    value = re.sub(old, new, first.value or b"", count=1)
    assert value != first.value

    assert made.sorts(invoices=[first._replace(value=value), *others]) != []


@pytest.mark.parametrize("wrong", [{"name": "Other"}, {"address": "Elsewhere"}, {"vat_id": "XX2"}])
def test_an_issuer_that_the_settings_never_named_is_found(wrong: dict[str, str]) -> None:
    made = billed()
    made.issuers = [ISSUER._replace(**wrong)]

    assert made.sorts() == ["not what it is computed anew"] * 2

    made.issuers = [ISSUER._replace(**wrong), ISSUER]
    assert made.sorts() == []


def test_a_credit_note_of_another_amount_is_found() -> None:
    made = billed()
    first, note, last = made.found_of(INVOICES)
    changed = note._replace(value=(note.value or b"").replace(b"-6.00", b"-5.99"))
    assert changed != note

    assert "changed" in made.sorts(invoices=[first, changed, last])


@pytest.mark.parametrize("value", [None, b"", b"[]", b"{}", b"no json"])
@pytest.mark.parametrize("topic", ["sealed", "invoices"])
def test_a_record_that_is_none_is_found(topic: str, value: bytes | None) -> None:
    made = billed()
    records = made.found_of(SEALED if topic == "sealed" else INVOICES)

    assert made.sorts(**{topic: [*records, Found(9, b"EV-001", value)]}) == ["surplus"]


def test_bills_of_a_session_that_nobody_spoke_of_are_found() -> None:
    made = billed()
    records = [
        each._replace(value=(each.value or b"").replace(b'"S1"', b'"S9"'))
        for each in made.found_of(SEALED)[:1]
    ]

    assert "surplus" in made.sorts(sealed=[*made.found_of(SEALED), *records])


@pytest.mark.parametrize("letter", [b"V", b"U", b"N", b"S", b"I"])
def test_a_row_that_is_not_there_is_found(letter: bytes) -> None:
    made = billed()
    rows = dict(made.step.rows)
    del rows[next(key for key in rows if key[:1] == letter)]

    assert made.sorts(rows=rows) != []


def test_a_counter_that_is_ahead_is_found() -> None:
    made = billed()
    rows = dict(made.step.rows)
    key = next(key for key in rows if key[:1] == b"N")
    rows[key] = encode_counter(4)

    assert made.sorts(rows=rows) == ["changed"]


@pytest.mark.parametrize("letter", [b"V", b"U", b"N", b"T"])
def test_a_row_that_nothing_accounts_for_is_found(letter: bytes) -> None:
    made = billed()

    assert made.sorts(rows=made.step.rows | {letter + b"x": b"\x92\x01\x01"}) == ["surplus"]


def _another_version(made: Billed, at_ms: int) -> None:
    made.publish(tariff("0.70"), worker_reads=False, at_ms=at_ms)


def _another_entry(made: Billed, at_ms: int) -> None:
    made.register(worker_reads=False, at_ms=at_ms, tariff_id="T2")


def _no_entry(made: Billed, at_ms: int) -> None:
    made.register(worker_reads=False, at_ms=at_ms)


@pytest.mark.parametrize("publish", [_another_version, _another_entry, _no_entry])
def test_a_worker_may_be_behind_the_reference_by_minutes_and_no_more(
    publish: Callable[[Billed, int], None],
) -> None:
    for before_ms, is_found in ((1_000, False), (600_000, True)):
        made = Billed()
        made.publish(tariff("0.50"))
        made.register(tariff_id="T1")
        publish(made, PLUG_IN // 1_000 - before_ms)
        made.send(start(user_id="U1"), end(2, 1.0))

        assert len(made.found_of(INVOICES)) == 1
        assert (made.sorts() != []) == is_found


@pytest.mark.parametrize("are_records_first", [False, True])
def test_of_two_rerates_the_table_needs_the_tariff_that_the_session_names_now(
    are_records_first: bool,
) -> None:
    made = Billed()
    made.publish(tariff("0.50"))
    made.register(tariff_id="T1")
    rerates = [
        rerate(3, price)._replace(document=tariff(price, "T2").decode(), ingest_us=minute(90))
        for price in ("0.20", "0.30")
    ]
    made.send(*RECORDS) if are_records_first else made.decide(*rerates)
    made.decide(*rerates) if are_records_first else made.send(*RECORDS)
    row = decode_session(made.step.rows[session_key("EV-001", "S1")])
    assert row.account is not None
    assert row.account.terms is not None
    named = tariff_key(row.account.terms.tariff_digest)
    tariffs = {key for key in made.step.rows if key[:1] == b"T"}

    assert len(made.found_of(SEALED)) == 3
    assert len(tariffs) == (2 if are_records_first else 1)
    assert made.sorts() == []
    passed_over = tariffs - {named}
    rows = {key: row for key, row in made.step.rows.items() if key not in passed_over}
    assert made.sorts(rows=rows) == []
    del rows[named]
    assert made.sorts(rows=rows) == ["missing"]


def test_a_record_that_came_too_late_is_refused_and_the_rows_may_stay_for_a_day() -> None:
    limits = Limits(memory_us=10 * DAY_US)
    made = Billed(limits)
    made.publish(tariff("0.50"))
    made.register(tariff_id="T1")
    made.send(*RECORDS)
    late = correction(60, 12.0)._replace(ingest_us=PLUG_IN + 10 * DAY_US + DAY_US // 2)
    made.send(late)

    report, checked = made.checked()

    assert list(report.lines()) == []
    assert list(checked.refused) == [("charging-sessions", late.partition, late.offset)]
    assert [each for each, _ in made.step.refused] == [late]


def test_a_marker_takes_the_place_of_a_session_that_was_billed() -> None:
    limits = Limits(memory_us=10 * DAY_US)
    made = Billed(limits)
    made.publish(tariff("0.50"))
    made.register(tariff_id="T1")
    made.send(*RECORDS)
    made.send(start()._replace(session_id="S2", ingest_us=PLUG_IN + 12 * DAY_US))
    late = correction(60, 12.0)._replace(ingest_us=PLUG_IN + 13 * DAY_US)
    made.send(late)

    report, checked = made.checked()

    assert list(report.lines()) == []
    assert list(checked.refused) == [("charging-sessions", late.partition, late.offset)]
    assert len(made.found_of(INVOICES)) == 1


def waited() -> Billed:
    """Return a partition of a session without an end, which a decision that had waited approved."""
    made = Billed()
    return made.decide(approve(2, ingest_us=minute(90))).send(*RECORDS[:2])


def test_a_decision_that_waited_in_vain_has_to_have_a_dead_letter() -> None:
    made = waited()
    ((record, why, topic),) = made.step.rejected

    report, checked = made.checked()

    assert list(report.lines()) == []
    assert checked.refused == {(topic, record.partition, record.offset): why}
    made.step.rejected = []
    assert made.sorts() == ["missing"]


def test_a_decision_that_waits_has_no_dead_letter_yet_and_its_record_is_kept() -> None:
    made = Billed().decide(approve(3, ingest_us=minute(90))).send(*RECORDS[:2])
    assert list(made.report().lines()) == []
    (key,) = (each for each in made.step.rows if each.startswith(b"W"))
    rows = dict(made.step.rows)
    other = decode_waiting(rows.pop(key))

    assert made.sorts(rows=rows) == ["missing"]
    rows[key] = encode_waiting(WaitingDecision(other.topic, other.key, b"{}", other.headers))
    assert made.sorts(rows=rows) == ["changed"]
    early = FirstArrival(None, None, 0, 0, made.decisions[0].offset)
    made.step.rejected = [(early, refused("S1", "too early"), "session-decisions")]
    assert made.sorts() == ["surplus"]


def test_a_decision_that_waits_for_a_forgotten_session_has_to_have_a_dead_letter() -> None:
    made = Billed(Limits(memory_us=DAY_US))
    made.send(*RECORDS).decide(void(4, ingest_us=minute(90)))
    later = start(5 * 24 * 60, ingest=5 * 24 * 60)._replace(session_id="S2")
    made.send(later)

    assert [why.reason for _, why, _ in made.step.rejected] == ["too-late"]
    assert list(made.report().lines()) == []
    made.step.rejected = []
    assert made.sorts() == ["missing"]
