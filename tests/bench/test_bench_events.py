"""The benchmark's stream is the mix that the page says, valid throughout, and the same every time."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import Any, NamedTuple

import pytest

from bench.events import Event, Fleet, Topic, station_id
from evcharge.domain.session import Limits, fold
from evcharge.events.decode import decode_charging_sessions, decode_station_status
from evcharge.events.rejection import Rejected
from evcharge.testing import NOW_MS

EVENTS = 20_000
STATIONS = 200


def stream(seed: int = 1) -> tuple[list[Event], list[Event], Fleet]:
    fleet = Fleet(STATIONS, seed)
    filled = list(fleet.fill())
    return filled, list(fleet.mixed(EVENTS)), fleet


def test_the_same_seed_makes_the_same_bytes() -> None:
    assert stream()[:2] == stream()[:2]


def test_another_seed_makes_other_bytes() -> None:
    assert stream(1)[1] != stream(2)[1]


def test_of_a_hundred_events_20_are_status_70_updates_10_starts_and_ends() -> None:
    _, mixed, _ = stream()
    kinds = Counter(
        "status" if event.topic is Topic.STATUS else json.loads(event.value)["event"]
        for event in mixed
    )

    assert kinds["status"] / EVENTS == pytest.approx(0.2, abs=0.01)
    assert kinds["session_update"] / EVENTS == pytest.approx(0.7, abs=0.01)
    assert kinds["session_start"] / EVENTS == pytest.approx(0.05, abs=0.005)
    assert kinds["session_end"] / EVENTS == pytest.approx(0.05, abs=0.005)


def test_a_record_has_about_190_bytes() -> None:
    _, mixed, _ = stream()
    sizes = [len(event.value) + len(station_id(event.station)) for event in mixed]

    assert 180 < sum(sizes) / len(sizes) < 200


def test_every_station_has_as_many_events_as_any_other() -> None:
    _, mixed, _ = stream()
    events = Counter(event.station for event in mixed)

    assert len(events) == STATIONS
    assert max(events.values()) < 2 * EVENTS / STATIONS


def test_the_fill_has_a_status_of_every_station_and_a_session_at_every_other() -> None:
    filled, _, _ = stream()
    topics = Counter(event.topic for event in filled)

    assert topics == {Topic.STATUS: STATIONS, Topic.SESSIONS: STATIONS // 2}
    assert {e.station for e in filled if e.topic is Topic.STATUS} == set(range(STATIONS))


def test_no_event_of_it_is_rejected() -> None:
    filled, mixed, _ = stream()
    arrivals: dict[Topic, list[Arrival]] = {Topic.STATUS: [], Topic.SESSIONS: []}
    for offset, event in enumerate(filled + mixed):
        arrivals[event.topic].append(Arrival(event.value, offset))
    statuses = decode_station_status(arrivals[Topic.STATUS], max_bytes=65_536)
    records = decode_charging_sessions(arrivals[Topic.SESSIONS], max_bytes=65_536)

    assert [each for each in (*statuses, *records) if isinstance(each, Rejected)] == []


class Arrival(NamedTuple):
    """A record as it was received."""

    value: bytes
    offset: int
    partition: int = 0
    timestamp: int = NOW_MS + 10**9


def test_every_session_that_ended_is_whole_and_held_for_no_reason() -> None:
    filled, mixed, fleet = stream()
    sessions: dict[tuple[str, str], list[Any]] = {}
    ended = set()
    events = [event for event in filled + mixed if event.topic is Topic.SESSIONS]
    arrivals = [Arrival(event.value, offset) for offset, event in enumerate(events)]
    for record in decode_charging_sessions(arrivals, max_bytes=65_536):
        assert not isinstance(record, Rejected)
        sessions.setdefault((record.station_id, record.session_id), []).append(record)
        if record.kind.name == "END":
            ended.add((record.station_id, record.session_id))

    assert len(ended) == fleet.ended
    for session in islice(ended, 100):
        assert list(fold(sessions[session], Limits()).held_reasons) == []


def test_event_time_never_goes_back() -> None:
    filled, mixed, _ = stream()
    times = [json.loads(event.value)["timestamp"] for event in filled + mixed]

    assert times == sorted(times)


def test_a_fleet_of_one_station_is_refused() -> None:
    with pytest.raises(ValueError, match="two stations"):
        Fleet(1)
