"""What a person sends to decide about a session."""

from __future__ import annotations

import json
from typing import Any

from evcharge.domain.billing.decision import Corrections
from evcharge.events.decision_request import DecisionRequest, named, parse_decision_request

BODY = {"station_id": "EV-001", "decision": "approve", "actor": "A1", "revision": 3}
CORRECT = BODY | {"decision": "correct"}


def request(**members: Any) -> DecisionRequest:
    said = parse_decision_request(json.dumps(CORRECT | members).encode())
    assert isinstance(said, DecisionRequest), said
    return said


def name(session_id: str = "S1", **members: Any) -> str | None:
    return named(request(**{"energy_kwh": 1, **members}), session_id).decision_id


def test_corrections_are_read_exactly() -> None:
    said = request(
        started_at="2023-05-01T12:00:00.250+02:00", energy_kwh="7.123456789", user_id="U1"
    )
    assert said.corrections == Corrections(1_682_935_200_250_000, None, 7_123_456_789, "U1")


def test_what_corrects_nothing_has_no_corrections() -> None:
    said = parse_decision_request(json.dumps(BODY).encode())
    assert isinstance(said, DecisionRequest)
    assert said.corrections is None


def test_a_number_is_exact_however_it_is_written() -> None:
    text = b'{"station_id":"A","decision":"correct","actor":"B","revision":1,"energy_kwh":%s}'
    for number in (b"0.1", b'"0.1"', b"1e-1"):
        said = parse_decision_request(text % number)
        assert isinstance(said, DecisionRequest)
        assert said.corrections == Corrections(energy_uwh=100_000_000)


def test_the_same_request_has_the_same_name_and_any_other_another() -> None:
    assert name() == name()
    others = [
        name("S2"),
        name(station_id="EV-002"),
        name(actor="A2"),
        name(revision=4),
        name(energy_kwh=2),
        name(reason="x"),
    ]
    assert len({name(), *others}) == 7


def test_a_name_that_was_given_stays() -> None:
    assert name(decision_id="D1") == "D1"
