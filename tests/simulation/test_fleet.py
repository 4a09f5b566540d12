"""What a fleet says: valid events, possible energies, the asked rate, the same for the same seed."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from evcharge.domain.quantities import parse_timestamp
from evcharge.simulation.city import city_register
from evcharge.simulation.delivery import Delivery
from evcharge.simulation.equipment import bay_plans
from evcharge.simulation.fleet import Fleet

START_US = parse_timestamp("2024-03-05T21:00:00Z")
STATIONS = 12


def said_by(
    *, seed: int = 1, start_us: int = START_US, rate: float = 40, seconds: int = 240
) -> list[Delivery]:
    plans = bay_plans(city_register(STATIONS))
    fleet = Fleet(plans, seed=seed, start_us=start_us, rate=rate, session_s=30)
    said: list[Delivery] = []
    now_us = start_us
    for tick in range(1, int(seconds * 1_000_000 / fleet.tick_us) + 1):
        now_us = start_us + tick * fleet.tick_us
        said += fleet.tick(now_us)
    return said + fleet.close(now_us)


@pytest.fixture(scope="module")
def said() -> list[Delivery]:
    return said_by()


def sessions(said: list[Delivery]) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for delivery in said:
        if delivery.topic == "charging-sessions":
            found[delivery.event["session_id"]].append(dict(delivery.event))
    return found


def test_events_come_in_time_order_under_their_stations_and_times(said: list[Delivery]) -> None:
    for delivery in said:
        assert delivery.event["station_id"] == delivery.station_id
        told_us = parse_timestamp(delivery.event["timestamp"])
        assert 0 <= delivery.due_us - told_us < 1000
    for earlier, later in pairwise(d.due_us for d in said):
        assert later >= earlier


def test_every_session_starts_is_updated_and_ends_in_this_order(said: list[Delivery]) -> None:
    found = sessions(said)

    assert len(found) > 20
    for events in found.values():
        kinds = [event["event"] for event in events]
        assert kinds[0] == "session_start"
        assert kinds[-1] == "session_end"
        assert set(kinds[1:-1]) <= {"session_update"}
        assert [event["seq"] for event in events] == list(range(len(events)))


def test_a_status_follows_each_start_and_end_at_once(said: list[Delivery]) -> None:
    expected = {"session_start": "occupied", "session_end": "free"}
    for event, status in pairwise(d.event for d in said):
        if (kind := event.get("event")) in expected:
            assert status["status"] == expected[kind]
            same = ("station_id", "connector_id", "timestamp")
            assert [status[name] for name in same] == [event[name] for name in same]


def test_a_bay_serves_one_car_at_a_time(said: list[Delivery]) -> None:
    bays = {
        (plan.station_id, plug.connector_id): (plan.station_id, plan.plugs)
        for plan in bay_plans(city_register(STATIONS))
        for plug in plan.plugs
    }
    taken: dict[Any, str] = {}
    for delivery in said:
        event = delivery.event
        if event.get("event") == "session_start":
            bay = bays[event["station_id"], event["connector_id"]]
            assert bay not in taken
            taken[bay] = event["session_id"]
        elif event.get("event") == "session_end":
            assert taken.pop(bays[event["station_id"], event["connector_id"]])
    assert not taken


def test_energy_only_grows_and_never_beyond_what_the_plug_is_rated_for(
    said: list[Delivery],
) -> None:
    rated_kw = {
        (plan.station_id, plug.connector_id): plug.rated_w / 1000
        for plan in bay_plans(city_register(STATIONS))
        for plug in plan.plugs
    }
    for events in sessions(said).values():
        start = events[0]
        energies = [
            event["energy_kwh"]
            if "energy_kwh" in event
            else event["meter_kwh"] - start["meter_kwh"]
            for event in events[1:]
        ]
        assert energies == sorted(energies)
        took_h = (
            parse_timestamp(events[-1]["timestamp"]) - parse_timestamp(start["timestamp"])
        ) / 3.6e9
        most_kwh = rated_kw[start["station_id"], start["connector_id"]] * took_h
        # One step of the register more, and the milliseconds that timestamps leave out.
        assert 0 <= energies[-1] <= most_kwh * 1.001 + 0.0002


def test_a_car_that_has_enough_stays_and_asks_for_no_power(said: list[Delivery]) -> None:
    idle = [
        event
        for events in sessions(said).values()
        for event in events
        if event.get("charging") is False
    ]

    assert idle
    assert {event["power_kw"] for event in idle} == {0}


def test_some_stations_tell_energies_and_some_their_meters_register(said: list[Delivery]) -> None:
    ends = [events[-1] for events in sessions(said).values()]

    assert any("meter_kwh" in end for end in ends)
    assert any("energy_kwh" in end for end in ends)
    assert not any("meter_kwh" in end and "energy_kwh" in end for end in ends)


def test_every_plug_says_that_it_is_there(said: list[Delivery]) -> None:
    plugs = {
        (plan.station_id, plug.connector_id)
        for plan in bay_plans(city_register(STATIONS))
        for plug in plan.plugs
    }

    heard = {(d.station_id, d.event["connector_id"]) for d in said if d.topic == "station-status"}

    assert heard == plugs


@pytest.mark.parametrize("rate", [2, 40, 1000])
def test_the_fleet_says_as_much_as_it_is_asked_for(rate: float) -> None:
    said = said_by(rate=rate, seconds=60)

    assert len(said) / 60 == pytest.approx(rate, rel=0.25)


def test_the_same_seed_and_start_give_the_same_events() -> None:
    assert said_by(seconds=60) == said_by(seconds=60)


def test_another_start_or_seed_gives_other_session_ids() -> None:
    ids = [
        set(sessions(said_by(seconds=60, **different)))
        for different in ({}, {"start_us": START_US + 1}, {"seed": 2})
    ]

    assert all(ids)
    assert not ids[0] & ids[1]
    assert not ids[0] & ids[2]
