"""`/v1/sessions/{session_id}/evidence`: why a session is what it is, record by record."""

from __future__ import annotations

from typing import Any

from evcharge.web.billing_models import Evidence
from tests.web.fake_worker import Data, group, id_in, session_of
from tests.web.memory_web import END, SESSION, START, STATION, UPDATE, MemoryWeb, event, memory_web

PATH = f"/v1/sessions/{SESSION}/evidence"


async def evidence(web: MemoryWeb, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = await web.get(PATH + query)
    Evidence.model_validate(found)
    return found


async def test_a_held_session_tells_why_with_each_of_its_records() -> None:
    async with memory_web() as web:
        home = web.worker.state.partition_of(STATION)
        await web.send(START, UPDATE | {"soc_percent": 55.5, "charging": False}, END, UPDATE)
        await web.send(event("end", 40, energy_kwh=12, reason="EVDisconnected"))
        found = await evidence(web)

    assert found["session"]["held_reasons"] == ["conflicting-end"]
    assert [each["reason"] for each in found["reasons"]] == found["session"]["held_reasons"]
    assert found["reasons"][0]["vanishes_with"].startswith("a correction")
    places = [(each["topic"], each["partition"], each["offset"]) for each in found["records"]]
    # The second update is no repeat: it lacks what the first one says.
    assert places == [("charging-sessions", home, offset) for offset in range(5)]
    assert found["records"][0] == {
        "topic": "charging-sessions",
        "partition": home,
        "offset": 0,
        "ingested_at": "2023-11-14T22:13:20Z",
        "event": "session_start",
        "timestamp": "2023-05-01T10:00:00Z",
        "user_id": "U1",
    }
    assert found["records"][1]["soc_percent"] == 55.5
    assert found["records"][1]["charging"] is False
    assert found["records"][4]["reason"] == "EVDisconnected"


async def test_what_was_billed_stands_beside_what_the_records_say_now() -> None:
    async with memory_web() as web:
        await web.send(START, END, event("end", 30, energy_kwh=12, correction=True))
        found = await evidence(web)
        (invoice,) = (await web.get("/v1/users/U1/invoices"))["invoices"]

    assert (found["session"]["energy_kwh"], found["billed"]["energy_kwh"]) == (12, 10)
    assert found["billed"] == {
        "bill": 1,
        "invoice_id": invoice["invoice_id"],
        "decision": None,
        "started_at": "2023-05-01T10:00:00Z",
        "ended_at": "2023-05-01T10:30:00Z",
        "energy_kwh": 10,
        "user_id": "U1",
        "tariff_id": "T1",
        "tariff_version": 0,
        "time_zone": "Europe/Paris",
        "max_power_kw": None,
    }


async def test_an_active_session_was_not_billed_and_has_no_reason() -> None:
    async with memory_web() as web:
        await web.send(START)
        found = await evidence(web)

    assert (found["reasons"], found["billed"], found["next"]) == ([], None, None)


async def test_records_come_in_pages_in_the_order_of_their_arrival() -> None:
    async with memory_web() as web:
        await web.send(END, UPDATE, START)
        first = await evidence(web, "?limit=2")
        second = await evidence(web, f"?limit=2&cursor={first['next']}")
        wrong = await web.ask(f"{PATH}?cursor=x")

    events = [each["event"] for page in (first, second) for each in page["records"]]
    assert events == ["session_end", "session_update", "session_start"]
    assert second["next"] is None
    assert (wrong.status, wrong.json["parameter"]) == (400, "cursor")


async def test_a_forwarded_record_is_where_it_came_first() -> None:
    async with memory_web() as web:
        stranger = (web.worker.state.partition_of(STATION) + 1) % 4
        await web.worker.send("charging-sessions", START, partition=stranger)
        (record,) = (await evidence(web))["records"]

    assert (record["partition"], record["offset"]) == (stranger, 0)


async def test_a_closed_session_is_one_record_without_an_event() -> None:
    closed = {
        "session_id": SESSION,
        "station_id": STATION,
        "start_time": "2023-05-01T10:15:30Z",
        "end_time": "2023-05-01T12:00:00Z",
        "energy_kwh": 22.5,
    }
    async with memory_web() as web:
        await web.send(closed)
        (record,) = (await evidence(web))["records"]

    assert {name: record[name] for name in ("start_time", "end_time", "energy_kwh")} == {
        name: closed[name] for name in ("start_time", "end_time", "energy_kwh")
    }
    assert "event" not in record


async def test_evidence_is_found_as_its_session_is() -> None:
    data = Data(sessions={(id_in(0), "1"): session_of(), (id_in(3), "1"): session_of()})
    data.sessions[id_in(1), "2"] = session_of()
    async with group(data) as workers:
        one, other = await workers.worker([0, 1]), await workers.worker([2, 3])
        for worker in (one, other):
            assert (await worker.get("/v1/sessions/1/evidence")).status == 409
            named = await worker.get(f"/v1/sessions/1/evidence?station_id={id_in(3)}")
            assert named.json["session"]["station_id"] == id_in(3)
            assert (await worker.get("/v1/sessions/2/evidence")).status == 200
            assert (await worker.get("/v1/sessions/3/evidence")).status == 404


async def test_evidence_of_a_dead_owner_comes_from_a_copy() -> None:
    data = Data(sessions={(id_in(3), "1"): session_of()})
    async with group(data) as workers:
        one = await workers.worker([0, 1, 2], copies=[3])
        gone = await workers.worker([3])
        await gone.server.close()
        answer = await one.get("/v1/sessions/1/evidence")

    assert (answer.status, answer.json["stale"]) == (200, True)


async def test_a_flood_in_one_chunk_leaves_evidence_and_a_person_can_correct_it() -> None:
    flood = [event("update", minute, energy_kwh=minute / 4) for minute in range(1, 30)]
    async with memory_web(max_session_readings=10) as web:
        await web.send(START, *flood, END)
        found = await evidence(web)
        decided = await web.decide("correct", found["session"]["revision"], energy_kwh=4)
        (invoice,) = (await web.get("/v1/users/U1/invoices"))["invoices"]

    assert found["session"]["held_reasons"] == ["too-many-readings"]
    # The first ten, then those that tell its last reading and its end.
    told = [(each["event"], each["timestamp"][14:16]) for each in found["records"]]
    assert told == [
        ("session_start", "00"),
        *(("session_update", f"{minute:02}") for minute in range(1, 10)),
        ("session_update", "29"),
        ("session_end", "30"),
    ]
    assert (decided.status, decided.json["state"]) == (200, "completed")
    assert invoice["cost"]["incl_vat"] == "2.40"
