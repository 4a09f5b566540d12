"""`/v1/sessions/{session_id}` and a station's sessions, of one worker that owns everything."""

from __future__ import annotations

import pytest

from evcharge.domain.session.held import HeldReason
from evcharge.domain.station_register import RegisteredStation
from evcharge.web import models
from evcharge.web.sessions import MOST_STATIONS_NAMED
from tests.web.fake_worker import NOW, SECOND, Data, group, id_in, session_of

KWH = 1_000_000_000


async def test_a_completed_session_reads_as_the_contract_writes_it() -> None:
    data = Data()
    data.sessions["EV-001", "S12345"] = session_of(
        revision=1,
        started_us=1_682_936_130 * SECOND,
        ended_us=1_682_942_400 * SECOND,
        energy_uwh=22_500_000_000,
        user_id="U67890",
    )

    async with group(data) as workers:
        answer = await (await workers.worker()).get("/v1/sessions/S12345")

    assert answer.status == 200
    assert answer.json == {
        "session_id": "S12345",
        "station_id": "EV-001",
        "connector_id": 1,
        "user_id": "U67890",
        "state": "completed",
        "started_at": "2023-05-01T10:15:30Z",
        "ended_at": "2023-05-01T12:00:00Z",
        "duration_s": 6270,
        "energy_kwh": 22.5,
        "power_kw": None,
        "cost": None,
        "held_reasons": [],
        "revision": 1,
        "updated_at": "2023-11-14T22:12:50Z",
    }
    models.Session.model_validate(answer.json)


@pytest.mark.parametrize(
    ("energy_uwh", "number"),
    [
        (22_500_000_000, "22.5"),
        (20 * KWH, "20"),
        (0, "0"),
        (1, "0.000000001"),
        (7_123_456_789, "7.123456789"),
        (123_456_789_012_345_678, "123456789.012345678"),  # more digits than a float has
        (None, "null"),
    ],
)
async def test_energy_is_written_digit_by_digit(energy_uwh: int | None, number: str) -> None:
    data = Data(sessions={("EV-1", "S1"): session_of(energy_uwh=energy_uwh)})

    async with group(data) as workers:
        answer = await (await workers.worker()).get("/v1/sessions/S1")

    assert f'"energy_kwh":{number},' in answer.text


async def test_a_running_session_shows_its_power_and_no_end() -> None:
    data = Data(sessions={("EV-1", "S1"): session_of(power_mw=11_000_000, named_connector_id=2)})

    async with group(data) as workers:
        answer = await (await workers.worker()).get("/v1/sessions/S1")

    assert answer.json["state"] == "active"
    assert answer.json["connector_id"] == 2
    assert answer.json["power_kw"] == 11
    assert answer.json["ended_at"] is answer.json["duration_s"] is None
    models.Session.model_validate(answer.json)


async def test_a_held_session_names_its_reasons() -> None:
    reasons = HeldReason.NO_START.bit | HeldReason.TOO_LONG.bit
    data = Data(
        sessions={("EV-1", "S1"): session_of(started_us=None, ended_us=NOW, reasons=reasons)}
    )

    async with group(data) as workers:
        answer = await (await workers.worker()).get("/v1/sessions/S1?station_id=EV-1")

    assert answer.json["state"] == "held"
    assert answer.json["held_reasons"] == ["no-start", "too-long"]
    models.Session.model_validate(answer.json)


async def test_a_session_that_several_stations_have_is_a_conflict_that_names_them() -> None:
    stations = [id_in(3), id_in(0), id_in(1)]
    data = Data(sessions={(station, "1"): session_of() for station in stations})
    data.sessions[id_in(2), "2"] = session_of()

    async with group(data) as workers:
        worker = await workers.worker()
        conflict = await worker.get("/v1/sessions/1")
        named = await worker.get(f"/v1/sessions/1?station_id={stations[0]}")

    assert conflict.status == 409
    assert conflict.headers["Content-Type"] == "application/problem+json"
    assert conflict.json["stations"] == sorted(stations)
    models.Problem.model_validate(conflict.json)
    assert (named.status, named.json["station_id"]) == (200, stations[0])


async def test_a_session_id_of_a_thousand_stations_names_the_first_and_reads_few_more() -> None:
    stations = sorted(f"EV-{n:04}" for n in range(1000))
    data = Data(sessions={(station, "1"): session_of() for station in stations})

    async with group(data) as workers:
        worker = await workers.worker()
        conflict = await worker.get("/v1/sessions/1")

    assert conflict.status == 409
    assert conflict.json["detail"].startswith("More than 100 stations have a session 1:")
    assert conflict.json["stations"] == stations[:MOST_STATIONS_NAMED]
    assert worker.reader.index_rows_read == worker.reader.partitions * (MOST_STATIONS_NAMED + 1)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/sessions/S2",
        "/v1/sessions/S1?station_id=EV-2",
        "/v1/sessions/S2?station_id=EV-1",
        "/v1/sessions/a%20b",
        "/v1/stations/EV-2/sessions",
    ],
)
async def test_what_no_table_has_is_not_found(path: str) -> None:
    data = Data(sessions={("EV-1", "S1"): session_of()})

    async with group(data) as workers:
        answer = await (await workers.worker()).get(path)

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/sessions/S1?station_id=a%20b", "station_id"),
        ("/v1/stations/EV-1/sessions?limit=0", "limit"),
        ("/v1/stations/EV-1/sessions?cursor=x", "cursor"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named(path: str, parameter: str) -> None:
    data = Data(sessions={("EV-1", "S1"): session_of()})

    async with group(data) as workers:
        answer = await (await workers.worker()).get(path)

    assert (answer.status, answer.json["parameter"]) == (400, parameter)


async def test_a_registered_station_without_a_session_has_an_empty_list() -> None:
    async with group(Data(register={"R": RegisteredStation("R")})) as workers:
        answer = await (await workers.worker()).get("/v1/stations/R/sessions")

    assert answer.json == {"sessions": [], "next": None}


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_cursors_walk_a_stations_sessions_active_first_then_latest_first(limit: int) -> None:
    data = Data()
    facts_of: dict[str, dict[str, int | None]] = {
        "old": {"started_us": 1, "ended_us": 5},
        "late": {"started_us": 900, "ended_us": 950},
        "active-old": {"started_us": 100},
        "same-b": {"started_us": 500, "ended_us": 700},
        "same-a": {"started_us": 500, "ended_us": 600},
        "no-start": {"started_us": None, "last_us": 800, "ended_us": 800},
        "active-new": {"started_us": 200},
        "before-1970": {"started_us": -5, "ended_us": -1},
    }
    for session_id, facts in facts_of.items():
        data.sessions["EV-1", session_id] = session_of(**facts)
    data.sessions["EV-2", "other"] = session_of()

    async with group(data) as workers:
        worker = await workers.worker()
        found = await worker.walk(f"/v1/stations/EV-1/sessions?limit={limit}", "sessions")
        models.Sessions.model_validate((await worker.get("/v1/stations/EV-1/sessions")).json)

    assert [each["session_id"] for each in found] == [
        "active-new",
        "active-old",
        "late",
        "no-start",
        "same-a",
        "same-b",
        "old",
        "before-1970",
    ]
