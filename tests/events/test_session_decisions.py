"""What may stand in ``session-decisions``, and why the rest is refused."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcharge.domain.billing.decision import Corrections, Decision, Verdict
from evcharge.events.fields import kept
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.session_decisions import (
    MAX_BYTES,
    Decided,
    decode_session_decisions,
    encode_session_decision,
)
from evcharge.events.tariffs import MAX_BYTES as MAX_TARIFF_BYTES

TARIFF = {
    "id": "T2",
    "currency": "EUR",
    "last_updated": "2026-01-01T00:00:00Z",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.1}]}],
}
APPROVE = {
    "decision_id": "D1",
    "station_id": "EV-001",
    "session_id": "S1",
    "decision": "approve",
    "actor": "A1",
    "decided_at": "2026-02-03T04:05:06Z",
    "revision": 3,
}
CORRECT = APPROVE | {"decision": "correct", "energy_kwh": "12.3"}
RERATE = APPROVE | {"decision": "rerate", "tariff": TARIFF}


class Arrived(NamedTuple):
    value: bytes | None
    timestamp: int = 1_700_000_000_000
    partition: int = 3
    offset: int = 42
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def decoded(value: dict[str, Any] | bytes | None) -> Decided | Rejected:
    content = json.dumps(value).encode() if isinstance(value, dict) else value
    return decode_session_decisions([Arrived(content)])[0]


def test_an_approval_says_who_saw_what() -> None:
    assert decoded(APPROVE | {"decisions": 2}) == Decided(
        "EV-001",
        "S1",
        Decision("D1", Verdict.APPROVE, "A1", 3, 2, 3, 42, 1_700_000_000_000_000),
    )


@pytest.mark.parametrize("energy", ["12.300000001", 12.300000001])
def test_a_correction_gives_exact_values(energy: object) -> None:
    found = decoded(CORRECT | {"energy_kwh": energy, "ended_at": "1970-01-01T00:00:01Z"})
    assert isinstance(found, Decided)
    assert found.decision.corrections == Corrections(None, 1_000_000, 12_300_000_001, None)


def test_a_re_rating_brings_its_tariff_digit_by_digit() -> None:
    text = json.dumps(RERATE).replace("0.1", "0.10000000000000000001").encode()
    found = decoded(text)
    assert isinstance(found, Decided)
    assert found.decision.document is not None
    assert "0.10000000000000000001" in found.decision.document


@pytest.mark.parametrize(
    ("value", "reason", "told"),
    [
        (None, Reason.NO_VALUE, "no value"),
        (b"x", Reason.NOT_JSON, "not JSON"),
        (b"[]", Reason.NOT_AN_OBJECT, "an array"),
        (b" " * 524_289, Reason.TOO_LARGE, "524,289 bytes, more than 524,288."),
        (
            RERATE | {"tariff": TARIFF | {"x": "y" * MAX_TARIFF_BYTES}},
            Reason.TOO_LARGE,
            "The tariff has 500,",
        ),
        ({}, Reason.MISSING_FIELD, "decision_id"),
        (APPROVE | {"revision": None}, Reason.MISSING_FIELD, "revision"),
        (APPROVE | {"revision": 0}, Reason.BAD_VALUE, "revision"),
        (APPROVE | {"revision": 1.5}, Reason.BAD_VALUE, "revision"),
        (APPROVE | {"decisions": -1}, Reason.BAD_VALUE, "decisions"),
        (APPROVE | {"actor": "a person's name"}, Reason.BAD_VALUE, "actor"),
        (APPROVE | {"decision": "delete"}, Reason.BAD_VALUE, "decision"),
        (APPROVE | {"decided_at": "2026-02-03T04:05:06"}, Reason.BAD_VALUE, "decided_at"),
        (APPROVE | {"energy_kwh": 1}, Reason.BAD_VALUE, "energy_kwh should only be given"),
        (APPROVE | {"decision": "correct"}, Reason.BAD_VALUE, "at least one of started_at"),
        (CORRECT | {"energy_kwh": -1}, Reason.BAD_VALUE, "energy_kwh"),
        (CORRECT | {"energy_kwh": 10**9 + 1}, Reason.BAD_VALUE, "at most 1,000,000,000"),
        (
            CORRECT | {"started_at": "2026-01-02T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z"},
            Reason.BAD_VALUE,
            "ended_at should not be before",
        ),
        (APPROVE | {"tariff": TARIFF}, Reason.BAD_VALUE, "tariff should be given to rerate"),
        (APPROVE | {"decision": "rerate"}, Reason.BAD_VALUE, "tariff should be given to rerate"),
        (RERATE | {"tariff": TARIFF | {"currency": "X"}}, Reason.BAD_VALUE, "tariff.currency"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    value: dict[str, Any] | bytes | None, reason: Reason, told: str
) -> None:
    found = decoded(value)
    assert isinstance(found, Rejected)
    assert found.reason is reason
    assert told in found.detail


@pytest.mark.parametrize("timestamp", [-1, -(2**63), 253_402_300_800_000, 2**63 - 1])
def test_a_time_that_no_broker_says_is_refused(timestamp: int) -> None:
    (found,) = decode_session_decisions([Arrived(json.dumps(APPROVE).encode(), timestamp)])
    assert isinstance(found, Rejected)
    assert "LogAppendTime" in found.detail


def test_key_and_headers_count_as_the_value_does() -> None:
    value = json.dumps(APPROVE).encode()
    rest = MAX_BYTES - len(value)
    for more in (0, 1):
        key, name, content = b"k" * 1_000, "é" * 500, b"c" * (rest - 2_000 + more)
        headers = ((name, content), ("", None))
        (found,) = decode_session_decisions([Arrived(value, key=key, headers=headers)])
        assert isinstance(found, Rejected) == bool(more)


def test_the_largest_tariff_fits_a_decision_whatever_else_it_says() -> None:
    text = json.dumps(TARIFF | {"x": ""}, separators=(",", ":"))
    document = text.replace('"x":""', f'"x":"{"y" * (MAX_TARIFF_BYTES - len(text))}"')
    longest, last = "i" * 64, 2**53 - 1
    made = Decision(longest, Verdict.RERATE, longest, last, last, 3, 42, 0, None, document)
    decided = Decided(longest, longest, made)
    value = encode_session_decision(decided, 0, reason=kept("\0" * 300))
    assert len(document) == MAX_TARIFF_BYTES
    assert len(value) + len(longest) < MAX_BYTES


def test_a_record_of_another_version_is_read_by_what_is_known_of_it() -> None:
    assert isinstance(decoded(APPROVE | {"v": 1, "colour": "blue"}), Decided)


@given(
    st.sampled_from(Verdict),
    st.builds(
        Corrections,
        st.just(None) | st.integers(0, 10**15),
        st.just(None) | st.integers(10**15, 10**16),
        st.integers(0, 10**18),
        st.sampled_from([None, "U1"]),
    ),
    st.none() | st.integers(0, 9),
)
def test_what_is_written_is_read_as_it_was(
    verdict: Verdict, corrections: Corrections, decisions: int | None
) -> None:
    made = Decision(
        "D1",
        verdict,
        "A1",
        7,
        decisions,
        3,
        42,
        1_700_000_000_000_000,
        corrections if verdict is Verdict.CORRECT else None,
        json.dumps(TARIFF) if verdict is Verdict.RERATE else None,
    )
    decided = Decided("EV-001", "S1", made)
    assert decoded(encode_session_decision(decided, 0, reason="as agreed")) == decided
