"""What each fault does to a record."""

from __future__ import annotations

import random
from dataclasses import replace

from evcharge.simulation import faults
from evcharge.simulation.delivery import Delivery, Routing

CHANCE = random.Random(7)
SENT = Delivery(
    1_700_000_000_000_000,
    "charging-sessions",
    "EV-1",
    {"event": "session_update", "timestamp": "2023-11-14T22:13:20Z", "meter_kwh": 812.5},
)


def test_a_duplicate_is_the_same_record_again_a_little_later() -> None:
    first, again = faults.duplicate(SENT, CHANCE)

    assert first == SENT
    assert replace(again, due_us=SENT.due_us) == SENT
    assert 0 <= again.due_us - SENT.due_us < 5_000_000


def test_a_late_record_arrives_10_to_60_seconds_later_unchanged() -> None:
    (late,) = faults.late(SENT, CHANCE)

    assert 10_000_000 <= late.due_us - SENT.due_us < 60_000_000
    assert late.event == SENT.event


def test_a_record_out_of_order_is_overtaken_by_those_of_the_next_seconds() -> None:
    (slow,) = faults.out_of_order(SENT, CHANCE)

    assert 1_000_000 <= slow.due_us - SENT.due_us < 4_000_000
    assert slow.event == SENT.event


def test_a_lost_end_and_a_silent_station_leave_nothing() -> None:
    assert faults.lost_end(SENT, CHANCE) == []
    assert faults.silent_station(SENT, CHANCE) == []


def test_a_register_that_is_not_known_yet_is_told_as_0() -> None:
    (told,) = faults.zero_register(SENT, CHANCE)

    assert told.event == {**SENT.event, "meter_kwh": 0}


def test_a_reset_meter_counts_from_0_again() -> None:
    (told,) = faults.meter_reset(SENT, 812.25)

    assert told.event["meter_kwh"] == 0.25


def test_a_skewed_clock_changes_the_event_time_and_not_the_arrival() -> None:
    (told,) = faults.skewed_clock(SENT, -7_200)

    assert told.event["timestamp"] == "2023-11-14T20:13:20Z"
    assert told.due_us == SENT.due_us


def test_foreign_clients_route_otherwise() -> None:
    (crc32,) = faults.foreign_partitioner(SENT, CHANCE)
    (no_key,) = faults.no_key(SENT, CHANCE)

    assert crc32.routing is Routing.CRC32
    assert no_key.routing is Routing.NO_KEY


def test_junk_arrives_beside_the_record() -> None:
    first, junk = faults.junk(SENT, CHANCE)

    assert first == SENT
    assert junk.junk is not None
