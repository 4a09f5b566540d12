"""The lines at the end of the demo."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from evcharge.demo.summary import kwh, summary
from evcharge.demo.watch import Watch


def station(station_id: str, site_id: str | None, status: str = "free") -> dict[str, Any]:
    return {"station_id": station_id, "site_id": site_id, "status": status}


def session(energy_kwh: str | None, state: str = "completed") -> dict[str, Any]:
    return {"state": state, "energy_kwh": None if energy_kwh is None else Decimal(energy_kwh)}


STATIONS = [station("A", "W1"), station("B", "W2", "occupied"), station("C", "CITY")]
SESSIONS = {
    "A": [session("1.25"), session("2.50")],
    "B": [session("10.1"), session(None, "held"), session("0.5", "active")],
    "C": [session("3")],
}


def test_the_last_line_is_json_of_the_replayed_sessions_only() -> None:
    lines = summary(STATIONS, SESSIONS, {"W1", "W2"})

    assert lines[-1] == '{"sessions":5,"completed":3,"energy_kwh":"14.35"}'


def test_people_read_of_sessions_sites_the_fleet_and_the_stations() -> None:
    lines = summary(STATIONS, SESSIONS, {"W1", "W2"})

    assert lines[:-1] == [
        "Replayed sessions: 5 sessions, 3 completed, 1 held, 14.35 kWh",
        "  site W2: 3 sessions, 1 completed, 1 held, 10.60 kWh",
        "  site W1: 2 sessions, 2 completed, 3.75 kWh",
        "Live fleet: 1 sessions, 1 completed, 3.00 kWh",
        "Stations: 3 known, 2 free, 1 occupied",
    ]


def test_of_many_sites_the_three_with_most_energy_are_named() -> None:
    stations = [station(f"S{n}", f"W{n}") for n in range(5)]
    sessions = {f"S{n}": [session(str(n))] for n in range(5)}

    lines = summary(stations, sessions, {f"W{n}" for n in range(5)})

    assert [line.split(":")[0] for line in lines[1:4]] == ["  site W4", "  site W3", "  site W2"]


def test_an_empty_world_is_summed_up_too() -> None:
    lines = summary([], {}, {"W1"})

    assert lines[-1] == '{"sessions":0,"completed":0,"energy_kwh":"0.00"}'


@pytest.mark.parametrize(
    ("energy", "text"),
    [("19723.69", "19723.69"), ("19723.690000", "19723.69"), ("5", "5.00"), ("0.125", "0.125")],
)
def test_an_energy_is_written_exactly(energy: str, text: str) -> None:
    assert kwh(Decimal(energy)) == text


def test_a_change_is_shown_once_and_cars_that_come_first() -> None:
    watch = Watch()

    assert (
        watch.look([station("A", None, "occupied"), station("B", None), station("C", None)]) == []
    )
    changes = watch.look(
        [station("A", None), station("B", None, "faulted"), station("C", None, "occupied")]
    )

    assert [str(change) for change in changes] == [
        "station C: free -> occupied",
        "station A: occupied -> free",
        "station B: free -> faulted",
    ]
    assert watch.look([station("A", None)]) == []


def test_a_station_that_is_heard_of_for_the_first_time_is_no_change() -> None:
    watch = Watch()

    watch.look([station("A", None, "unknown")])

    assert watch.look([station("A", None, "free"), station("B", None, "occupied")]) == []
