"""Any worker answers for all: workers on real ports that own different partitions."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from evcharge.domain.station_register import RegisteredStation
from evcharge.domain.status_report import Status
from evcharge.web.peers import MARK
from evcharge.web.problems import PROBLEM_JSON
from tests.web.fake_worker import Answer, Data, Group, Worker, group, id_in, session_of

KEYED = (
    f"/v1/stations/{id_in(0)}",
    f"/v1/stations/{id_in(0)}/sessions",
    f"/v1/sessions/S0?station_id={id_in(0)}",
)


def everywhere() -> Data:
    """A station with a session in every partition, half of the stations registered."""
    data = Data()
    for partition in range(4):
        data.say(id_in(partition), Status.FREE)
        data.sessions[id_in(partition), f"S{partition}"] = session_of(energy_uwh=1)
    data.register[id_in(1)] = RegisteredStation(id_in(1), "Register")
    return data


async def pair(workers: Group) -> tuple[Worker, Worker]:
    return await workers.worker([0, 1]), await workers.worker([2, 3])


def assert_unavailable(answer: Answer) -> None:
    assert answer.status == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1


async def test_both_workers_give_the_same_answer_to_every_question() -> None:
    async with group(everywhere()) as workers:
        one, other = await pair(workers)
        for path in (
            "/v1/stations",
            "/v1/stations?limit=2",
            *(f"/v1/stations/{id_in(partition)}" for partition in range(4)),
            *(f"/v1/stations/{id_in(partition)}/sessions" for partition in range(4)),
            *(f"/v1/sessions/S{partition}" for partition in range(4)),
            "/v1/sessions/S0?station_id=" + id_in(0),
            "/v1/sessions/nowhere",
            "/v1/stations/nowhere",
        ):
            first, second = await one.get(path), await other.get(path)
            assert first.status in {200, 404}
            assert (first.status, first.text) == (second.status, second.text)
            assert first.headers["Content-Type"] == second.headers["Content-Type"]


async def test_an_id_with_every_allowed_character_survives_the_way_to_its_owner() -> None:
    odd = id_in(3, "a._:*~+@-")
    data = Data(sessions={(odd, "s+~*@:._-"): session_of()})

    async with group(data) as workers:
        one, _ = await pair(workers)
        assert (await one.get(f"/v1/stations/{odd}")).status == 200
        assert (await one.get("/v1/sessions/s+~*@:._-")).json["station_id"] == odd
        page = await one.get(f"/v1/stations/{odd}/sessions?limit=1")
        assert page.json["sessions"][0]["session_id"] == "s+~*@:._-"


@pytest.mark.parametrize("limit", [1, 3, 10])
async def test_cursors_walk_the_stations_of_all_workers_exactly_once(limit: int) -> None:
    data = Data()
    for n in range(40):
        data.say(f"EV-{n:03}", Status.FREE)

    async with group(data) as workers:
        one, other = await pair(workers)
        for worker in (one, other):
            stations = await worker.walk(f"/v1/stations?limit={limit}", "stations")
            assert [each["station_id"] for each in stations] == [f"EV-{n:03}" for n in range(40)]


async def test_filters_hold_on_every_worker() -> None:
    data = everywhere()
    data.stations[id_in(2)] = data.stations[id_in(2)]._replace(words=())
    data.say(id_in(2), Status.FAULTED)
    data.sessions.clear()

    async with group(data) as workers:
        one, _ = await pair(workers)
        answer = await one.get("/v1/stations?status=faulted")

    assert [each["station_id"] for each in answer.json["stations"]] == [id_in(2)]


async def test_a_list_without_the_worker_that_left_is_partial() -> None:
    async with group(everywhere()) as workers:
        one, other = await pair(workers)
        await other.server.close()
        answer = await one.get("/v1/stations")

    assert answer.status == 200
    assert answer.json["partial"] is True
    assert [each["station_id"] for each in answer.json["stations"]] == sorted([id_in(0), id_in(1)])


async def test_a_list_without_the_partitions_that_nobody_owns_is_partial() -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0, 1, 2])
        answer = await one.get("/v1/stations")

    assert answer.json["partial"] is True
    assert len(answer.json["stations"]) == 3


async def test_a_session_is_only_missing_once_every_partition_has_answered() -> None:
    async with group(everywhere()) as workers:
        one, other = await pair(workers)
        assert (await one.get("/v1/sessions/nowhere")).status == 404
        await other.server.close()

        assert_unavailable(await one.get("/v1/sessions/nowhere"))
        # A partition that does not answer may hold another session of the same id.
        assert_unavailable(await one.get("/v1/sessions/S0"))
        assert (await one.get(f"/v1/sessions/S0?station_id={id_in(0)}")).status == 200
        assert (await one.get(f"/v1/sessions/S9?station_id={id_in(0)}")).status == 404
        assert_unavailable(await one.get(f"/v1/sessions/S3?station_id={id_in(3)}"))


async def test_stations_of_different_workers_with_one_session_id_are_a_conflict() -> None:
    data = Data(sessions={(id_in(0), "1"): session_of(), (id_in(3), "1"): session_of()})

    async with group(data) as workers:
        one, _ = await pair(workers)
        answer = await one.get("/v1/sessions/1")

    assert (answer.status, answer.json["stations"]) == (409, sorted([id_in(0), id_in(3)]))


@pytest.mark.parametrize("path", [*KEYED, "/v1/stations", "/v1/sessions/S0"])
async def test_before_any_table_is_recovered_the_answer_is_503(path: str) -> None:
    async with group(everywhere()) as workers:
        worker = await workers.worker([])
        assert_unavailable(await worker.get(path))
        # It will own everything, but is still recovering.
        workers.data.owners.update(dict.fromkeys(range(4), worker.url))
        assert_unavailable(await worker.get(path))


@pytest.mark.parametrize("path", [*KEYED, "/v1/stations", "/v1/sessions/S0"])
async def test_workers_that_take_each_other_for_the_owner_do_not_ask_to_and_fro(path: str) -> None:
    async with group(everywhere()) as workers:
        one, other = await workers.worker([]), await workers.worker([])
        one.reader.believes = dict.fromkeys(range(4), other.url)
        other.reader.believes = dict.fromkeys(range(4), one.url)

        async with asyncio.timeout(5):
            assert_unavailable(await one.get(path))


@pytest.mark.parametrize("path", KEYED)
async def test_a_question_waits_a_moment_for_the_end_of_a_rebalance(path: str) -> None:
    async with group(everywhere()) as workers:
        one, other = await workers.worker([]), await workers.worker([])
        other.reader.own = frozenset({0})
        views = iter([{}, {0: one.url}, {0: other.url}])
        one.reader.owners = lambda: next(views)  # type: ignore[method-assign]

        assert (await one.get(path)).status == 200


async def test_an_owner_that_hangs_is_given_up_after_a_while() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    application = web.Application()
    application.router.add_get("/{path:.*}", hang)
    async with group(everywhere()) as workers, TestServer(application) as hanging:
        one = await workers.worker([0])
        one.peers.timeout = aiohttp.ClientTimeout(total=0.1)
        one.reader.believes = dict.fromkeys(range(1, 4), str(hanging.make_url("")))

        async with asyncio.timeout(5):
            assert_unavailable(await one.get(f"/v1/stations/{id_in(1)}"))
            assert (await one.get("/v1/stations")).json["partial"] is True


@pytest.mark.parametrize(
    "foreign",
    [
        {"status": 404, "content_type": "text/plain"},
        {"status": 404, "content_type": PROBLEM_JSON},
        {"status": 404, "content_type": "text/html", "headers": {MARK: "1"}},
        {"status": 200, "content_type": "application/json"},
        {"status": 302, "headers": {"Location": "/login"}},
    ],
    ids=["proxy", "older-release", "error-page-of-a-proxy", "other-service", "login"],
)
async def test_what_another_program_says_in_place_of_a_worker_is_no_answer(
    foreign: dict[str, Any],
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="{}", **foreign)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    async with group(everywhere()) as workers, TestServer(application) as server:
        one = await workers.worker([0])
        one.reader.believes = dict.fromkeys(range(1, 4), str(server.make_url("")))

        assert_unavailable(await one.get(f"/v1/stations/{id_in(1)}"))
        assert_unavailable(await one.get(f"/v1/stations/{id_in(1)}/sessions"))
        assert_unavailable(await one.get("/v1/sessions/S1"))
        assert (await one.get("/v1/stations")).json["partial"] is True


async def test_only_answers_to_other_workers_are_marked_as_such() -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0])
        for path, marked in (
            (f"/peer/stations/{id_in(0)}", True),
            (f"/peer/stations/{id_in(0)}/sessions/nothing", True),
            (f"/peer/stations/{id_in(1)}", True),
            ("/peer/what-a-later-release-asks", False),
            (f"/v1/stations/{id_in(0)}", False),
        ):
            assert (MARK in (await one.get(path)).headers) is marked, path


@pytest.mark.parametrize("body", [b"not json", b'{"rows": 1}', b"{}", b'{"rows":["\xff"]}'])
async def test_a_worker_that_talks_nonsense_is_left_out_of_a_list(body: bytes) -> None:
    async def nonsense(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json", headers={MARK: "1"})

    application = web.Application()
    application.router.add_get("/{path:.*}", nonsense)
    async with group(everywhere()) as workers, TestServer(application) as server:
        one = await workers.worker([0])
        one.reader.believes = dict.fromkeys(range(1, 4), str(server.make_url("")))
        answer = await one.get("/v1/stations")

    assert answer.json["partial"] is True
    assert [each["station_id"] for each in answer.json["stations"]] == [id_in(0)]


async def test_an_owner_that_is_gone_is_asked_a_few_times_and_then_told_as_unavailable() -> None:
    async with group(everywhere()) as workers:
        one = await workers.worker([0])
        one.reader.believes = {1: f"http://127.0.0.1:{unused_port()}"}

        assert_unavailable(await one.get(f"/v1/stations/{id_in(1)}"))


async def test_a_partition_is_taken_from_one_worker_only() -> None:
    async with group(everywhere()) as workers:
        one, other = await workers.worker([0, 1, 2]), await workers.worker([2, 3])
        answer = await one.get("/v1/stations")
        part = await one.get("/peer/stations?partitions=0,9,x,2")

        assert len(answer.json["stations"]) == 4
        assert part.json["partitions"] == [0, 2]
        assert_unavailable(await other.get(f"/peer/stations/{id_in(0)}"))
        assert_unavailable(await other.get(f"/peer/stations/{id_in(0)}/sessions"))
        assert_unavailable(await other.get(f"/peer/stations/{id_in(0)}/sessions/S0"))
