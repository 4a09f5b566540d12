"""When cars come."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from evcharge.simulation.arrivals import demand

BERLIN = ZoneInfo("Europe/Berlin")


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000_000)


def test_more_cars_come_after_work_than_at_night() -> None:
    assert demand(us("2024-03-05T17:00:00+00:00"), UTC) == 1.0
    assert demand(us("2024-03-05T03:00:00+00:00"), UTC) == 0.3


def test_the_hour_is_the_stations_own_in_summer_and_winter() -> None:
    assert demand(us("2024-07-05T15:00:00+00:00"), BERLIN) == 1.0
    assert demand(us("2024-01-05T16:00:00+00:00"), BERLIN) == 1.0


def test_the_demand_goes_evenly_from_one_hour_to_the_next_and_over_midnight() -> None:
    assert demand(us("2024-03-05T07:30:00+00:00"), UTC) == pytest.approx(0.825)
    assert demand(us("2024-03-05T23:30:00+00:00"), UTC) == pytest.approx(0.325)
