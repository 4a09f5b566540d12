"""What a record of ``sealed-sessions`` looks like."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given

from evcharge.domain.session import Completion, Lifecycle, Limits, fold
from evcharge.domain.session_record import SessionRecord
from evcharge.events.sealed_session import encode_sealed_session
from tests.domain.session_records import closed, end, session, start
from tests.domain.strategies import plausible_sessions

COMPLETED_US = 1_700_000_000_123_000


def test_a_sealed_session_says_everything_a_bill_needs() -> None:
    state = session(
        start(0, meter=4000.5, connector_id=2, user_id="U1"),
        end(30.25, meter=4006.750000001, seq=9),
    )
    written = encode_sealed_session("EV-001", "S1", Completion(state, COMPLETED_US))
    assert written == (
        b'{"v":1,"session_id":"S1","station_id":"EV-001","connector_id":2,"user_id":"U1",'
        b'"started_at":"2023-05-01T10:15:30Z","ended_at":"2023-05-01T10:45:45Z","duration_s":1815,'
        b'"energy_kwh":"6.250000001","meter_start_kwh":"4000.5","meter_end_kwh":"4006.750000001",'
        b'"completed_at":"2023-11-14T22:13:20.123Z","revision":2}'
    )


def test_what_is_not_known_is_null() -> None:
    state = session(closed(10, 5.0))
    written = json.loads(encode_sealed_session("EV-001", "S1", Completion(state, COMPLETED_US)))
    assert (written["connector_id"], written["user_id"]) == (1, None)
    assert (written["meter_start_kwh"], written["meter_end_kwh"]) == (None, None)


@given(records=plausible_sessions())
def test_every_completed_session_is_told_exactly(records: list[SessionRecord]) -> None:
    state = fold(records, Limits())
    if state.lifecycle is not Lifecycle.COMPLETED:
        return
    written = encode_sealed_session("EV-001", "S1", Completion(state, COMPLETED_US))
    exact = json.loads(written, parse_float=Decimal, parse_int=int)
    assert Decimal(exact["energy_kwh"]) * 10**9 == state.energy_uwh
    assert exact["duration_s"] * 10**6 == state.duration_us


def test_a_session_that_is_not_completed_cannot_be_sealed() -> None:
    with pytest.raises(ValueError, match="only a completed session"):
        encode_sealed_session("EV-001", "S1", Completion(session(start(0)), COMPLETED_US))
