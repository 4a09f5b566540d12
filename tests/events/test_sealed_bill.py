"""What a record of ``sealed-sessions`` says of a bill."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from evcharge.domain.billing.bill import Bill
from evcharge.domain.billing.decision import Decision
from evcharge.domain.pricing import Segment, SegmentKind
from evcharge.domain.session_record import SessionRecord
from evcharge.errors import SettingError
from evcharge.events.sealed_session import MODEL, encode_bill
from evcharge.events.tariffs import MAX_BYTES
from evcharge.settings import Settings
from evcharge.topics.catalogue import SEALED_SESSIONS
from tests.domain.billing_desk import Till, correct, void
from tests.domain.session_records import end, start, update
from tests.domain.strategies import plausible_sessions
from tests.domain.test_billing_properties import decisions, orders, played


def sealed(bill: object) -> dict[str, Any]:
    assert isinstance(bill, Bill)
    written = encode_bill(bill)
    MODEL.validate_json(written)
    record: dict[str, Any] = json.loads(written)
    return record


def test_a_sealed_session_says_everything_that_its_bill_follows_from() -> None:
    records = [
        start(0, meter=4000.5, connector_id=2, user_id="U1"),
        update(10, meter=4003.5, power_mw=11_000_000),
        end(30.25, meter=4006.750000001),
    ]
    record = sealed(Till().send(*records)[0])
    assert record.pop("cost")["incl_vat"] == "3.75"
    assert record.pop("evidence") == {"charging-sessions": [[0, each.offset] for each in records]}
    assert record == {
        "v": 1,
        "session_id": "S1",
        "station_id": "EV-001",
        "bill": 1,
        "state": "completed",
        "connector_id": 2,
        "user_id": "U1",
        "started_at": "2023-05-01T10:15:30Z",
        "ended_at": "2023-05-01T10:45:45Z",
        "duration_s": 1815,
        "energy_kwh": "6.250000001",
        "meter_start_kwh": "4000.5",
        "meter_end_kwh": "4006.750000001",
        "completed_at": "2023-05-01T10:45:46Z",
        "revision": 3,
        "segments": [
            [0, 600_000_000, 3_000_000_000, None, None],
            [0, 1_215_000_000, 3_250_000_001, 11_000_000, None],
        ],
        "terms": {
            "tariff_id": "T-0.50",
            "tariff_version": 7,
            "tariff_digest": record["terms"]["tariff_digest"],
            "time_zone": "Europe/Paris",
            "max_power_kw": None,
            "tariff": {"id": "T-0.50", "currency": "EUR"},
        },
        "decision": None,
    }


def test_a_bill_that_was_decided_names_the_decision() -> None:
    till = Till()
    till.send(start(0, user_id="U1"), end(60, 10.0))
    made: Decision = correct(2, energy=5, actor="A7")
    record = sealed(till.decide(made)[-1])
    assert (record["bill"], record["energy_kwh"], record["revision"]) == (2, "5", 2)
    assert record["decision"] == {
        "decision_id": made.decision_id,
        "decision": "correct",
        "actor": "A7",
    }
    assert record["evidence"]["session-decisions"] == [[0, made.offset]]


def test_a_voided_session_is_sealed_once_more_as_void() -> None:
    till = Till()
    till.send(start(0), end(60, 10.0))
    record = sealed(till.decide(void(2))[-1])
    assert (record["bill"], record["state"], record["energy_kwh"]) == (2, "void", "10")


@given(plausible_sessions(), decisions(), orders)
def test_every_bill_follows_the_model(
    records: list[SessionRecord], log: list[Decision], order: list[bool]
) -> None:
    for output in played(records, log, order, "0.50").outputs:
        if isinstance(output, Bill):
            sealed(output)


def test_the_largest_bill_fits_a_record() -> None:
    most = 50_000
    Settings.from_env({"EVCHARGE_MAX_SESSION_READINGS": str(most)})
    with pytest.raises(SettingError, match="a whole number from 10 to 50000"):
        Settings.from_env({"EVCHARGE_MAX_SESSION_READINGS": str(most + 1)})
    # With so many readings this is the mean of the longest times and of the largest energies.
    segment = Segment(SegmentKind.RESERVATION, 10**14, 2 * 10**13, -(10**11), -(10**11))
    bill = Till().send(start(0, user_id="U1"), end(60, 5))[0]
    assert isinstance(bill, Bill)
    largest = bill._replace(
        segments=(segment,) * most,
        evidence=[(63, 10**12)] * most,
        tariff=bill.tariff._replace(document=b"x" * MAX_BYTES),
    )
    # Three lines and rates of VAT of each of a thousand elements, each with all the digits it can have.
    cost = b"x" * 3_000 * (400 + 250)
    assert len(encode_bill(largest, cost)) < SEALED_SESSIONS.max_record_bytes - 2_000
