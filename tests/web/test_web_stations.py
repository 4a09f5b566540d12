"""`/v1/stations` and `/v1/stations/{station_id}` of one worker that owns everything."""

from __future__ import annotations

import pytest

from evcharge.domain.station_register import RegisteredConnector, RegisteredStation
from evcharge.domain.station_state import ConnectorWord, StationState
from evcharge.domain.status_report import Status
from evcharge.testing import NOW_MS
from evcharge.web import models
from tests.agents.billing_events import decision
from tests.web.fake_worker import NOW, SECOND, Data, group, id_in, session_of
from tests.web.memory_web import END, START, memory_web


def city() -> Data:
    """Three registered stations and one that nobody registered."""
    data = Data()
    for station_id, longitude, power_kw, status in (
        ("A", 2.3, 22, Status.FREE),
        ("B", 179.9, 150, Status.OCCUPIED),
        ("C", -179.9, None, Status.FAULTED),
    ):
        power_mw = None if power_kw is None else power_kw * 1_000_000
        connectors = (RegisteredConnector(1, "1", "IEC_62196_T2", power_mw),)
        data.register[station_id] = RegisteredStation(
            station_id, f"Name of {station_id}", 48.8, longitude, connectors=connectors
        )
        data.say(station_id, status)
    data.say("D", Status.FREE)
    return data


async def ids(data: Data, query: str) -> list[str]:
    async with group(data) as workers:
        answer = await (await workers.worker()).get(f"/v1/stations{query}")
        assert answer.status == 200, answer.text
        models.Stations.model_validate(answer.json)
        assert answer.json["partial"] is False
        return [station["station_id"] for station in answer.json["stations"]]


async def test_a_registered_station_is_shown_with_its_place_and_its_plugs() -> None:
    async with group(city()) as workers:
        answer = await (await workers.worker()).get("/v1/stations/B")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {
        "station_id": "B",
        "name": "Name of B",
        "latitude": 48.8,
        "longitude": 179.9,
        "time_zone": None,
        "site_id": None,
        "tariff_id": None,
        "status": "occupied",
        "free": 0,
        "evses": 1,
        "connectors": [
            {
                "connector_id": 1,
                "evse_id": "1",
                "status": "occupied",
                "since": "2023-11-14T22:12:20Z",
                "age_s": 10,
                "error_code": None,
                "standard": "IEC_62196_T2",
                "max_power_kw": 150,
                "session_id": None,
            }
        ],
        "updated_at": "2023-11-14T22:13:10Z",
    }
    models.Station.model_validate(answer.json)


async def test_every_fact_of_a_station_reads_as_the_contract_writes_it() -> None:
    since, heard = NOW - 600 * SECOND, NOW - 10 * SECOND
    word = ConnectorWord(1, Status.FAULTED, since, since, heard, "GroundFailure")
    plug = RegisteredConnector(1, "A", "IEC_62196_T2_COMBO", 22_500_000)
    facts = RegisteredStation("EV-1", "North", 48.5, 2.25, "Europe/Paris", "P1", "T1", (plug,))
    data = Data(stations={"EV-1": StationState((word,))}, register={"EV-1": facts})

    async with group(data) as workers:
        answer = await (await workers.worker()).get("/v1/stations/EV-1")

    assert answer.text == (
        '{"station_id":"EV-1","name":"North","latitude":48.5,"longitude":2.25,'
        '"time_zone":"Europe/Paris","site_id":"P1","tariff_id":"T1","status":"faulted",'
        '"free":0,"evses":1,"connectors":[{"connector_id":1,"evse_id":"A","status":"faulted",'
        '"since":"2023-11-14T22:03:20Z","age_s":10,"error_code":"GroundFailure",'
        '"standard":"IEC_62196_T2_COMBO","max_power_kw":22.5,"session_id":null}],'
        '"updated_at":"2023-11-14T22:13:10Z"}'
    )


async def test_an_open_session_occupies_its_connector() -> None:
    data = city()
    data.sessions["A", "S1"] = session_of()

    async with group(data) as workers:
        answer = await (await workers.worker()).get("/v1/stations/A")

    (connector,) = answer.json["connectors"]
    assert (connector["status"], connector["session_id"]) == ("occupied", "S1")
    assert answer.json["status"] == "occupied"


async def test_a_station_that_only_ended_sessions_tell_of_exists() -> None:
    data = Data(sessions={("E", "S1"): session_of(ended_us=NOW)})

    assert await ids(data, "") == ["E"]


async def test_a_station_stays_known_when_its_sessions_are_forgotten_or_only_decided_about() -> (
    None
):
    async with memory_web() as web:
        forgotten, decided = (id_in(0, start) for start in ("A-", "B-"))
        await web.send(*(each | {"station_id": forgotten} for each in (START, END)))
        void = decision("void", 1, "D1", station_id=decided)
        await web.worker.send("session-decisions", void)
        much_later = NOW_MS + 101 * 86_400_000
        await web.worker.send("charging-sessions", b"no json", partition=0, timestamp_ms=much_later)
        assert web.worker.state.session(forgotten, "S1") is None
        listed = (await web.get("/v1/stations"))["stations"]

        for station_id in (forgotten, decided):
            (one,) = (each for each in listed if each["station_id"] == station_id)
            assert await web.get(f"/v1/stations/{station_id}") == one
            assert one["status"] == "unknown"
            assert (await web.get(f"/v1/stations/{station_id}/sessions"))["sessions"] == []


@pytest.mark.parametrize("station_id", ["nobody", "%2F", "a%20b", "x" * 65, "%ff", "..%2f"])
async def test_an_id_that_nothing_has_is_not_found(station_id: str) -> None:
    async with group(city()) as workers:
        answer = await (await workers.worker()).get(f"/v1/stations/{station_id}")

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    models.Problem.model_validate(answer.json)


async def test_an_id_with_every_allowed_character_is_found() -> None:
    station_id = "aZ9._:*~+@-"
    data = Data()
    data.say(station_id, Status.FREE)

    async with group(data) as workers:
        answer = await (await workers.worker()).get(f"/v1/stations/{station_id}")

    assert answer.json["station_id"] == station_id


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["A", "B", "C", "D"]),
        ("?bbox=&status=&min_power_kw=&limit=&cursor=", ["A", "B", "C", "D"]),
        ("?bbox=-10,40,10,50", ["A"]),
        ("?bbox=179,48.8,-179,48.8", ["B", "C"]),
        ("?bbox=-180,-90,180,90", ["A", "B", "C"]),
        ("?bbox=1e-7,40,1E1,50", ["A"]),
        ("?status=free", ["A", "D"]),
        ("?status=unknown", []),
        ("?min_power_kw=22", ["A", "B"]),
        ("?min_power_kw=22.000001", ["B"]),
        ("?min_power_kw=22&status=occupied&bbox=100,-90,180,90", ["B"]),
    ],
)
async def test_a_list_shows_what_matches_every_condition(query: str, expected: list[str]) -> None:
    assert await ids(city(), query) == expected


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=-1", "limit"),
        ("limit=%D9%A1", "limit"),
        ("bbox=1,2,3", "bbox"),
        ("bbox=1,2,3,nan", "bbox"),
        ("bbox=1,50,3,40", "bbox"),
        ("bbox=-181,0,0,1", "bbox"),
        ("bbox=0,0,1,91", "bbox"),
        ("bbox=0,0,1e99,1", "bbox"),
        ("status=broken", "status"),
        ("status=blocked", "status"),
        ("min_power_kw=fast", "min_power_kw"),
        ("min_power_kw=-1", "min_power_kw"),
        ("min_power_kw=1e9", "min_power_kw"),
        ("cursor=nonsense", "cursor"),
        ("cursor=%F0%9F%92%A9", "cursor"),
        ("cursor=bnVsbA", "cursor"),
        ("cursor=" + "A" * 2000, "cursor"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named(query: str, parameter: str) -> None:
    async with group(city()) as workers:
        answer = await (await workers.worker()).get(f"/v1/stations?{query}")

    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["parameter"] == parameter
    assert parameter in answer.json["detail"]
    models.Problem.model_validate(answer.json)


@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
async def test_cursors_walk_every_station_exactly_once_in_the_order_of_ids(limit: int) -> None:
    data = Data()
    for n in range(120):
        data.register[f"R{n:03}"] = RegisteredStation(f"R{n:03}")
    for n in range(60, 180):  # half of them are in the register too
        data.say(f"R{n:03}", Status.FREE)

    async with group(data) as workers:
        stations = await (await workers.worker()).walk(f"/v1/stations?limit={limit}", "stations")

    assert [each["station_id"] for each in stations] == [f"R{n:03}" for n in range(180)]


async def test_a_last_page_that_is_just_full_has_no_next() -> None:
    async with group(city()) as workers:
        worker = await workers.worker()
        assert (await worker.get("/v1/stations?limit=4")).json["next"] is None
        assert (await worker.get("/v1/stations?limit=3")).json["next"] is not None


async def test_a_list_without_a_limit_has_a_hundred_rows() -> None:
    data = Data(register={f"R{n}": RegisteredStation(f"R{n}") for n in range(101)})

    assert len(await ids(data, "")) == 100


async def test_a_session_cursor_is_no_station_cursor() -> None:
    data = Data(sessions={("A", f"S{n}"): session_of() for n in range(2)})

    async with group(data) as workers:
        worker = await workers.worker()
        cursor = (await worker.get("/v1/stations/A/sessions?limit=1")).json["next"]
        answer = await worker.get(f"/v1/stations?cursor={cursor}")

    assert (answer.status, answer.json["parameter"]) == (400, "cursor")


async def test_a_partition_lost_in_the_middle_of_a_list_is_missing_and_the_rest_is_whole() -> None:
    data = Data()
    stations = sorted(id_in(partition, start) for partition in range(4) for start in ("A", "Z"))
    for station_id in stations:
        data.say(station_id, Status.FREE)

    async with group(data) as workers:
        worker = await workers.worker()
        worker.reader.loses = {id_in(0, "Z"): 2}
        answer = await worker.get("/v1/stations")

    assert answer.json["partial"] is True
    assert [each["station_id"] for each in answer.json["stations"]] == [
        each for each in stations if each not in {id_in(2, "A"), id_in(2, "Z")}
    ]


async def test_silence_is_measured_by_the_servers_clock() -> None:
    async with group(city()) as workers:
        tomorrow = await workers.worker(now_us=NOW + 86_400 * SECOND)
        answer = await tomorrow.get("/v1/stations/A")

    assert answer.json["status"] == "unknown"
    assert answer.json["connectors"][0]["since"] == "2023-11-14T22:13:10Z"
