"""What the checker asks a worker for again, and what it takes for an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from evcharge.errors import CommandError
from evcharge.verification.asked_worker import AskedWorker
from evcharge.verification.report import Report


def answering(*answers: tuple[int, Any]) -> web.Application:
    """Return a worker that gives these answers, one after the other."""
    left = iter(answers)

    async def answer(_: web.Request) -> web.Response:
        status, body = next(left)
        return web.json_response(body, status=status)

    application = web.Application()
    application.router.add_get("/v1/stations/EV-1", answer)
    return application


@asynccontextmanager
async def asked(*answers: tuple[int, Any]) -> AsyncIterator[AskedWorker]:
    """Yield a worker that gives these answers, one after the other, and is asked."""
    async with (
        TestServer(answering(*answers)) as server,
        AskedWorker(str(server.make_url("")), Report()) as worker,
    ):
        yield worker


@pytest.mark.parametrize(
    "first", [(503, {"error": "moving"}), (200, {"stale": True}), (200, {"partial": True})]
)
async def test_what_a_worker_cannot_tell_at_this_moment_is_asked_for_again(
    first: tuple[int, Any],
) -> None:
    station = {"station_id": "EV-1", "stale": False}

    async with asked(first, (200, station)) as worker:
        assert await worker.get("/v1/stations/EV-1") == (200, station)


@pytest.mark.parametrize("wrong", [(500, {"error": "a bug"}), (200, ["no", "members"])])
async def test_any_other_answer_than_those_that_it_may_give_ends_the_check_at_once(
    wrong: tuple[int, Any],
) -> None:
    async with asked(wrong) as worker:
        with pytest.raises(CommandError, match=f"answers {wrong[0]}"):
            await worker.get("/v1/stations/EV-1")
