"""A fleet with faults: each of them strikes, is counted, and is the same for the same seed."""

from __future__ import annotations

from collections import Counter

from evcharge.simulation.city import city_register
from evcharge.simulation.delivery import Delivery, Routing
from evcharge.simulation.equipment import bay_plans
from evcharge.simulation.fault_mix import FaultMix
from evcharge.simulation.fleet import Fleet

START_US = 1_709_672_400_000_000
SECOND_US = 1_000_000


def played(seed: int = 1) -> tuple[list[Delivery], list[Delivery], Counter[str]]:
    """What was sent, what arrived, and how often each fault struck."""
    plans = bay_plans(city_register(40))
    fleet = Fleet(plans, seed=seed, start_us=START_US, rate=100, session_s=20)
    mix = FaultMix([plan.station_id for plan in plans], seed=seed, start_us=START_US)
    sent: list[Delivery] = []
    arrived: list[Delivery] = []
    for tick in range(1, 1_201):
        now_us = START_US + tick * SECOND_US // 10
        said = fleet.tick(now_us)
        sent += said
        arrived += mix.arrive(said, now_us)
    return sent, arrived + mix.rest(), mix.struck


def test_every_fault_strikes_a_busy_fleet_of_forty_stations() -> None:
    _, _, struck = played()

    assert len(struck) == 11
    assert min(struck.values()) > 0, struck


def test_the_counts_add_up() -> None:
    sent, arrived, struck = played()

    added = struck["duplicate"] + struck["junk"]
    lost = struck["lost_end"] + struck["silent_station"]
    assert len(arrived) == len(sent) + added - lost
    assert struck["junk"] == sum(d.junk is not None for d in arrived)


def test_a_station_with_a_lasting_fault_has_it_all_the_time() -> None:
    sent, arrived, _ = played()

    for routing, many in ((Routing.CRC32, 4), (Routing.NO_KEY, 2)):
        stations = {d.station_id for d in arrived if d.routing is routing}
        assert len(stations) == many
        assert {d.routing for d in arrived if d.station_id in stations} == {routing}
    heard_late = {d.station_id for d in arrived if d.due_us > START_US + 90 * SECOND_US}
    assert len({d.station_id for d in sent} - heard_late) == 2, "the silent ones"


def test_deliveries_arrive_when_they_are_due_and_the_rest_at_the_end() -> None:
    mix = FaultMix([f"EV-{n}" for n in range(100)], seed=3, start_us=0)
    sent = [Delivery(n, "station-status", f"EV-{n % 100}", {"timestamp": ""}) for n in range(1_000)]

    at_once = mix.arrive(sent, 999)
    rest = mix.rest()

    assert all(d.due_us <= 999 for d in at_once)
    assert rest
    assert all(d.due_us > 999 for d in rest)
    assert [d.due_us for d in rest] == sorted(d.due_us for d in rest)
    assert mix.rest() == []


def test_the_same_seed_gives_the_same_faults() -> None:
    assert played(5) == played(5)
