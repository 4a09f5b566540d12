"""While an owner is away its stations and sessions are read from copies, marked as stale."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import BaseModel

from evcharge.domain.station_register import RegisteredStation
from evcharge.domain.status_report import Status
from evcharge.testing import MemoryWorker
from evcharge.web import models
from evcharge.web.peers import MARK
from evcharge.web.state import PartitionLostError
from tests.web.fake_worker import Answer, Data, Group, group, id_in, session_of

AWAY = id_in(3)
"""A station of the partition whose owner is away."""
KEYED: Mapping[str, type[BaseModel]] = {
    f"/v1/stations/{AWAY}": models.Station,
    f"/v1/stations/{AWAY}/sessions": models.Sessions,
    f"/v1/sessions/S3?station_id={AWAY}": models.Session,
    "/v1/sessions/S3": models.Session,
}
EVERYTHING: Mapping[str, type[BaseModel]] = {**KEYED, "/v1/stations": models.Stations}


def everywhere() -> Data:
    """A station with a session in every partition."""
    data = Data()
    for partition in range(4):
        data.say(id_in(partition), Status.FREE)
        data.sessions[id_in(partition), f"S{partition}"] = session_of(energy_uwh=22_500_000_001)
    return data


def assert_stale(answer: Answer, model: type[BaseModel]) -> None:
    assert answer.status == 200, answer.text
    assert answer.json["stale"] is True
    model.model_validate(answer.json)


def assert_unavailable(answer: Answer) -> None:
    assert answer.status == 503, answer.text
    assert int(answer.headers["Retry-After"]) >= 1


async def owner_gone(workers: Group) -> None:
    """Let a worker have owned partition 3 and be dead."""
    gone = await workers.worker([3])
    await gone.server.close()


@asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """A worker that takes questions and never answers, as after SIGSTOP."""

    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    application = web.Application()
    application.router.add_get("/{path:.*}", hang)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.mark.parametrize("path", EVERYTHING)
async def test_what_a_dead_worker_owned_is_read_from_the_copy_that_is_here(path: str) -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0, 1, 2], copies=[3])
        await owner_gone(workers)
        assert_stale(await one.get(path), EVERYTHING[path])


@pytest.mark.parametrize("path", EVERYTHING)
async def test_what_a_dead_worker_owned_is_read_from_the_copy_of_another(path: str) -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0])
        await workers.worker([1], copies=[0])
        await workers.worker([2], copies=[3])
        await owner_gone(workers)
        assert_stale(await one.get(path), EVERYTHING[path])


@pytest.mark.parametrize("path", EVERYTHING)
async def test_an_owner_that_answers_is_preferred_to_a_copy(path: str) -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0, 1, 2], copies=[3])
        other = await workers.worker([3], copies=[0, 1, 2])
        first, second = await one.get(path), await other.get(path)

    assert first.status == 200
    assert "stale" not in first.text
    assert first.text == second.text


@pytest.mark.parametrize("path", EVERYTHING)
async def test_a_hanging_owner_is_not_waited_for_when_there_is_a_copy(path: str) -> None:
    async with hanging() as url, group(everywhere()) as workers:
        one = await workers.worker([0, 1, 2], copies=[3])
        workers.data.owners[3] = url
        one.peers.timeout = aiohttp.ClientTimeout(total=600)
        one.peers.hedge_s = one.peers.list_hedge_s = 0.01

        async with asyncio.timeout(5):
            assert_stale(await one.get(path), EVERYTHING[path])


@pytest.mark.parametrize("path", EVERYTHING)
async def test_a_hanging_worker_does_not_keep_others_from_answering_with_their_copies(
    path: str,
) -> None:
    async with hanging() as url, group(everywhere()) as workers:
        one = await workers.worker([0, 1])
        await workers.worker([2], copies=[3])
        workers.data.workers.append(url)
        one.peers.timeout = aiohttp.ClientTimeout(total=600)
        one.peers.copy_timeout_s = 0.5
        await owner_gone(workers)

        async with asyncio.timeout(5):
            assert_stale(await one.get(path), EVERYTHING[path])


async def test_an_owner_that_is_slow_is_waited_for_when_there_is_no_copy() -> None:
    copies_asked = asyncio.Event()

    def no_others() -> list[str]:
        copies_asked.set()
        return []

    async def slow(_: web.Request) -> web.Response:
        await copies_asked.wait()
        return web.json_response({"slow": True}, headers={MARK: "1"})

    application = web.Application()
    application.router.add_get("/{path:.*}", slow)
    async with group(everywhere()) as workers, TestServer(application) as server:
        one = await workers.worker([0, 1, 2])
        one.reader.workers = no_others  # type: ignore[method-assign]
        workers.data.owners[3] = str(server.make_url("")).rstrip("/")

        assert (await one.get(f"/v1/stations/{AWAY}")).json == {"slow": True}


async def test_a_list_says_which_of_its_stations_are_stale() -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0, 1], copies=[3])
        await workers.worker([2])
        await owner_gone(workers)
        answer = await one.get("/v1/stations")
        pages = await one.walk("/v1/stations?limit=1", "stations")

    assert answer.json["partial"] is False
    assert len(answer.json["stations"]) == 4
    assert {each["station_id"] for each in answer.json["stations"] if "stale" in each} == {AWAY}
    assert pages == answer.json["stations"]


async def test_a_list_is_partial_and_stale_when_copies_do_not_have_all() -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0, 1], copies=[3])
        await owner_gone(workers)
        answer = await one.get("/v1/stations")

    assert (answer.json["partial"], answer.json["stale"]) == (True, True)
    assert len(answer.json["stations"]) == 3


async def test_copies_at_several_workers_make_no_station_twice() -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0])
        await workers.worker([1], copies=[0, 3])
        await workers.worker([2], copies=[1, 3])
        await owner_gone(workers)

        assert len((await one.get("/v1/stations")).json["stations"]) == 4
        assert (await one.get("/v1/sessions/S3")).json["station_id"] == AWAY


async def test_a_copy_never_says_that_something_does_not_exist() -> None:
    unheard = id_in(3, "nowhere-")
    data = everywhere()
    data.register[id_in(3, "new-")] = RegisteredStation(id_in(3, "new-"), "Registered")
    async with group(data) as workers:
        one, other = await workers.worker([0, 1], copies=[3]), await workers.worker([2])
        await owner_gone(workers)
        for worker in (one, other):
            assert_unavailable(await worker.get(f"/v1/stations/{unheard}"))
            assert_unavailable(await worker.get(f"/v1/stations/{unheard}/sessions"))
            assert_unavailable(await worker.get(f"/v1/sessions/S9?station_id={AWAY}"))
            assert_unavailable(await worker.get("/v1/sessions/S9"))
            # Others are still asked for in their owners' tables, and the register is whole everywhere.
            assert (await worker.get(f"/v1/stations/{id_in(0, 'nowhere-')}")).status == 404
            assert_stale(await worker.get(f"/v1/stations/{id_in(3, 'new-')}"), models.Station)


async def test_a_session_that_might_be_elsewhere_too_is_stale_as_its_numbers_stay_exact() -> None:
    async with group(everywhere()) as workers:
        one, other = await workers.worker([0, 1], copies=[3]), await workers.worker([2])
        named = await one.get(f"/v1/sessions/S2?station_id={id_in(2)}")
        await owner_gone(workers)
        for worker in (one, other):
            found = await worker.get("/v1/sessions/S2")
            assert_stale(found, models.Session)
            assert found.text == named.text.removesuffix("}") + ',"stale":true}'


async def test_sessions_of_one_id_in_a_copy_and_elsewhere_are_a_conflict() -> None:
    data = Data(sessions={(id_in(0), "1"): session_of(), (AWAY, "1"): session_of()})
    async with group(data) as workers:
        one = await workers.worker([0, 1, 2], copies=[3])
        await owner_gone(workers)
        answer = await one.get("/v1/sessions/1")

    assert (answer.status, answer.json["stations"]) == (409, sorted([id_in(0), AWAY]))


@pytest.mark.parametrize("path", KEYED)
async def test_a_partition_that_is_being_taken_over_is_stale_until_it_is_ours(path: str) -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0, 1, 2], copies=[3])
        workers.data.owners[3] = one.url
        assert_stale(await one.get(path), KEYED[path])

        one.reader.own = frozenset(range(4))

        answer = await one.get(path)
        assert (answer.status, answer.json.get("stale")) == (200, None)


async def test_a_worker_that_recovers_is_answered_for_by_those_that_have_copies() -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([])
        await workers.worker([0, 1, 2], copies=[3])
        workers.data.owners[3] = one.url
        for path, model in EVERYTHING.items():
            assert_stale(await one.get(path), model)


async def test_workers_ask_each_other_for_copies_in_so_many_words() -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0], copies=[3])
        path = f"/peer/stations/{AWAY}"
        assert_unavailable(await one.get(path))
        assert_stale(await one.get(f"{path}?stale=1"), models.Station)
        assert "stale" not in (await one.get(f"/peer/stations/{id_in(0)}?stale=1")).text

        part = await one.get("/peer/stations?partitions=0,1,3")
        assert (part.json["partitions"], part.json["stale"]) == ([0], [])
        part = await one.get("/peer/stations?partitions=0,1,3&stale=1")
        assert (part.json["partitions"], part.json["stale"]) == ([0, 3], [3])


async def test_the_tables_of_a_worker_hold_what_it_owns_and_what_it_only_follows(
    evcharge_worker: MemoryWorker,
) -> None:
    value = {"station_id": AWAY, "timestamp": "2023-05-01T10:15:30Z", "status": "free"}
    await evcharge_worker.send("station-status", value)
    state, app = evcharge_worker.state, evcharge_worker.app
    assert (state.held(), 3 in state.owned()) == (frozenset(), True)

    app.readable["station-status"].discard(3)
    app.stale["station-status"].add(3)

    assert (state.held(), 3 in state.owned()) == (frozenset({3}), False)
    with pytest.raises(PartitionLostError):
        state.station(AWAY)
    assert state.with_copies().station(AWAY) is not None

    app.stale["station-status"].discard(3)
    with pytest.raises(PartitionLostError):
        state.with_copies().station(AWAY)
