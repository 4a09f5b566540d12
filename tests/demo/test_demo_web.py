"""What the demo reads of the worker."""

from __future__ import annotations

from decimal import Decimal

import pytest

from evcharge.demo.web import WorkerWeb
from evcharge.errors import CommandError
from tests.demo.fake_worker_web import FakeWorkerWeb


async def test_lists_are_read_page_by_page_with_exact_numbers() -> None:
    async with FakeWorkerWeb() as worker, WorkerWeb(worker.url) as web:
        worker.stations = [{"station_id": f"EV-{n}", "latitude": 0.1} for n in range(5)]

        stations = await web.stations()

    assert [station["station_id"] for station in stations] == [f"EV-{n}" for n in range(5)]
    assert stations[0]["latitude"] == Decimal("0.1")


async def test_an_answer_that_is_partial_or_not_there_yet_is_asked_for_again() -> None:
    async with FakeWorkerWeb() as worker, WorkerWeb(worker.url) as web:
        worker.stations = [{"station_id": "EV-1"}]
        worker.refusals = ["503", "partial", "503"]

        assert len(await web.stations()) == 1
        assert worker.refusals == []


async def test_a_worker_that_never_answers_is_one_sentence() -> None:
    async with FakeWorkerWeb() as worker, WorkerWeb(worker.url) as web:
        worker.refusals = ["503"] * 100

        with pytest.raises(CommandError, match=r"did not answer /readyz within 0.3 s .*503"):
            await web.ready(0.3)


async def test_a_worker_that_is_not_there_is_one_sentence() -> None:
    async with WorkerWeb("http://127.0.0.1:1", patience_s=0.3) as web:
        with pytest.raises(CommandError, match=r"did not answer /v1/stations .*Connect"):
            await web.stations()
