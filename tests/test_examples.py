"""The example data: real sessions as they came, and registers that their scripts reproduce."""

from __future__ import annotations

import hashlib
import json
import runpy
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evcharge.replay.closed_sessions import read
from evcharge.replay.device_events import survey
from evcharge.simulation.equipment import bay_plans

EXAMPLES = Path(__file__).parents[1] / "examples"
SHA256 = "a2e543d8e126518f3cfd0b4f1b13aeaa52382f5b668adaa90f67367becbb62b7"
SESSIONS = EXAMPLES / "workplace" / "sessions.csv"


def register(name: str) -> list[dict[str, Any]]:
    stations: list[dict[str, Any]] = json.loads((EXAMPLES / name / "stations.json").read_text())
    return stations


def test_the_sessions_are_the_published_ones_unchanged() -> None:
    assert hashlib.sha256(SESSIONS.read_bytes()).hexdigest() == SHA256


def test_the_sessions_are_3395_with_19723_69_kwh_on_105_stations_by_85_drivers() -> None:
    sessions = list(read(SESSIONS))

    assert survey(sessions).in_order
    assert len(sessions) == 3395
    assert sum(Decimal(session.energy_kwh) for session in sessions) == Decimal("19723.69")
    assert len({session.station_id for session in sessions}) == 105
    assert len({session.user_id for session in sessions}) == 85


def test_the_workplace_register_has_every_station_of_the_sessions_at_25_sites() -> None:
    stations = register("workplace")

    assert {s["station_id"] for s in stations} == {s.station_id for s in read(SESSIONS)}
    assert len({s["site_id"] for s in stations}) == 25


def test_no_session_contradicts_a_stated_power() -> None:
    rated = {s["station_id"]: s["connectors"][0].get("max_power_kw") for s in register("workplace")}
    stated = 0
    for session in read(SESSIONS):
        if (rated_kw := rated[session.station_id]) is not None:
            stated += 1
            hours = (session.end_us - session.start_us) / 3.6e9
            assert float(session.energy_kwh) <= rated_kw * hours
    assert stated > 3000


@pytest.mark.parametrize("name", ["workplace", "city"])
def test_stations_of_a_site_are_close_to_each_other_and_sites_are_not(name: str) -> None:
    places = defaultdict(list)
    for station in register(name):
        places[station["site_id"]].append((station["latitude"], station["longitude"]))
    for site in places.values():
        assert len(set(site)) == len(site)
        assert max(lat for lat, _ in site) - min(lat for lat, _ in site) < 0.001
        assert max(lon for _, lon in site) - min(lon for _, lon in site) < 0.001
    assert len({site[0] for site in places.values()}) == len(places)


def test_the_workplace_script_reproduces_its_register() -> None:
    script = runpy.run_path(str(EXAMPLES / "workplace" / "make_register.py"))

    assert (
        script["text"](script["register"](SESSIONS))
        == (EXAMPLES / "workplace" / "stations.json").read_text()
    )


def test_the_city_script_reproduces_its_register() -> None:
    script = runpy.run_path(str(EXAMPLES / "city" / "make_register.py"))

    assert script["text"]() == (EXAMPLES / "city" / "stations.json").read_text()


def test_the_city_has_forty_stations_with_shared_and_own_bays() -> None:
    plans = bay_plans(register("city"))

    assert len({plan.station_id for plan in plans}) == 40
    assert {len(plan.plugs) for plan in plans} == {1, 2}
