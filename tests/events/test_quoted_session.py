"""The session of `price`."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from evcharge.domain.pricing import Segment, SegmentKind, Usage
from evcharge.events.quoted_session import parse_quoted_session
from evcharge.events.rejection import Rejected

SEGMENT = {"kind": "TIME", "duration_s": 3600}
SESSION: dict[str, Any] = {
    "started_at": "2019-01-28T09:30:00+01:00",
    "time_zone": "Europe/Amsterdam",
    "segments": [SEGMENT],
}


def parse(session: object) -> Usage | Rejected:
    return parse_quoted_session(json.dumps(session).encode())


def test_a_session_in_units_of_the_rules() -> None:
    event = SESSION | {
        "segments": [
            {"kind": "RESERVATION", "duration_s": "900"},
            SEGMENT | {"energy_kwh": 20.000000001, "power_kw": "11.5", "current_a": 16},
            {"kind": "PARKING_TIME", "duration_s": 0.5, "energy_kwh": 0, "power_kw": -1},
        ]
    }
    assert parse(event) == Usage(
        1_548_664_200_000_000,
        ZoneInfo("Europe/Amsterdam"),
        (
            Segment(SegmentKind.RESERVATION, 900_000_000),
            Segment(SegmentKind.TIME, 3_600_000_000, 20_000_000_001, 11_500_000, 16_000_000),
            Segment(SegmentKind.PARKING_TIME, 500_000, 0, -1_000_000),
        ),
    )


def test_what_is_finer_than_the_units_is_kept() -> None:
    usage = parse(SESSION | {"segments": [SEGMENT | {"energy_kwh": "0.0000000000001"}]})
    assert isinstance(usage, Usage)
    assert usage.segments[0].energy_uwh == Fraction(1, 10_000)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"started_at": "2019-01-28T09:30:00"},
            "started_at is '2019-01-28T09:30:00': it names no offset",
        ),
        ({"started_at": "1899-12-31T00:00:00Z"}, "started_at should be in the years"),
        ({"time_zone": "CEST"}, "time_zone should be an IANA time zone"),
        ({"segments": []}, "segments should have at least 1 item"),
        ({"segments": [{"kind": "TIME"}]}, "segments.0.duration_s is missing."),
        ({"segments": [SEGMENT | {"kind": "PAUSE"}]}, "segments.0.kind should be"),
        ({"segments": [SEGMENT | {"duration_s": -1}]}, "segments.0.duration_s should be greater"),
        ({"segments": [SEGMENT | {"energy_kwh": -1}]}, "segments.0.energy_kwh should be greater"),
        (
            {"segments": [SEGMENT | {"energy_kwh": "1 kWh"}]},
            "segments.0.energy_kwh should be a num",
        ),
        ({"segments": [SEGMENT | {"duration_s": 10**9}]}, "segments should last at most 10 years"),
        (
            {"segments": [SEGMENT, {"kind": "RESERVATION", "duration_s": 1}]},
            "segments.1.kind should not follow what is not reserved",
        ),
        (
            {"segments": [{"kind": "RESERVATION", "duration_s": 1, "energy_kwh": 1}]},
            "segments.0.energy_kwh should be 0 in a reservation",
        ),
    ],
)
def test_what_cannot_be_priced_is_told_with_its_path(change: dict[str, Any], told: str) -> None:
    outcome = parse(SESSION | change)
    assert isinstance(outcome, Rejected)
    assert outcome.detail.startswith(told)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b'{"segments":[NaN]}'])
def test_anything_else_is_refused(text: bytes) -> None:
    assert isinstance(parse_quoted_session(text), Rejected)
