"""`/v1/sessions?state=held`: what waits for a person, of all stations, and only that."""

from __future__ import annotations

import pytest

from evcharge.web import costs, models
from tests.web.fake_worker import NOW, Data, Worker, group, id_in, session_of
from tests.web.memory_web import END, START, event, memory_web

HELD = {"reasons": 1, "started_us": None, "ended_us": NOW}


def everywhere() -> Data:
    """Held sessions in all partitions, and one of each other state."""
    data = Data()
    for partition in range(4):
        for session_id in ("1", "10", "2"):
            data.sessions[id_in(partition), session_id] = session_of(**HELD)
    data.sessions[id_in(0), "running"] = session_of()
    data.sessions[id_in(1), "ended"] = session_of(ended_us=NOW)
    return data


def expected(data: Data) -> list[tuple[str, str]]:
    return sorted(key for key, state in data.sessions.items() if state.reasons)


async def walk(worker: Worker, limit: int) -> list[tuple[str, str]]:
    found = await worker.walk(f"/v1/sessions?state=held&limit={limit}", "sessions")
    return [(each["station_id"], each["session_id"]) for each in found]


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
async def test_cursors_walk_the_held_sessions_of_all_workers_by_station_and_session(
    limit: int,
) -> None:
    data = everywhere()
    async with group(data) as workers:
        one, other = await workers.worker([0, 2]), await workers.worker([1, 3])
        assert await walk(one, limit) == await walk(other, limit) == expected(data)
        page = (await one.get("/v1/sessions?state=held")).json

    models.HeldSessions.model_validate(page)
    assert (page["partial"], page["next"]) == (False, None)
    assert {each["state"] for each in page["sessions"]} == {"held"}


async def test_pages_that_end_early_lose_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "MOST_RECORDS", 2)
    data = everywhere()
    async with group(data) as workers:
        one = await workers.worker([0, 2])
        await workers.worker([1, 3])
        assert await walk(one, 100) == expected(data)


async def test_a_list_that_misses_a_partition_says_so() -> None:
    data = everywhere()
    async with group(data) as workers:
        worker = await workers.worker([0, 1, 2])
        page = (await worker.get("/v1/sessions?state=held")).json

    assert page["partial"] is True
    assert len(page["sessions"]) == 9


async def test_what_is_read_from_copies_is_marked() -> None:
    data = everywhere()
    async with group(data) as workers:
        one = await workers.worker([0, 1, 2], copies=[3])
        gone = await workers.worker([3])
        await gone.server.close()
        page = (await one.get("/v1/sessions?state=held")).json

    assert (page["partial"], page["stale"]) == (False, True)
    stale = {each["station_id"] for each in page["sessions"] if "stale" in each}
    assert stale == {id_in(3)}


@pytest.mark.parametrize("query", ["", "?state=", "?state=active", "?state=Held"])
async def test_other_states_are_not_listed(query: str) -> None:
    async with group(Data()) as workers:
        answer = await (await workers.worker()).get(f"/v1/sessions{query}")

    assert (answer.status, answer.json["parameter"]) == (400, "state")


async def test_a_session_is_listed_from_when_it_is_held_until_it_no_longer_is() -> None:
    async with memory_web() as web:

        async def listed() -> list[str]:
            page = await web.get("/v1/sessions?state=held")
            return [reason for each in page["sessions"] for reason in each["held_reasons"]]

        assert await listed() == []
        await web.send(END)
        assert await listed() == ["no-start"]
        await web.send(START)
        assert await listed() == []
        await web.send(event("end", 50, energy_kwh=12, correction=True))
        assert await listed() == ["changed-after-invoice"]
        await web.decide("approve", 3)
        assert await listed() == []
        await web.send(event("end", 40, energy_kwh=13, correction=True, seq=9))
        await web.send(event("end", 55, energy_kwh=13, correction=True))
        assert await listed() == ["changed-after-invoice"]
        await web.decide("void", 6)
        assert await listed() == []
