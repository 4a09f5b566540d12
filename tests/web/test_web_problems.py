"""What goes wrong is said in one form, and what is said is safe in a browser."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from evcharge.storage.errors import DamagedStoreError
from evcharge.web import models
from tests.web.fake_worker import Data, group

PUBLIC = ("/", "/static/stations.js", "/openapi.json", "/healthz", "/metrics", "/v1/stations")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/v1", "/v1/stations/", "/static/", "/table/", "/v2/x"]
)
async def test_an_unknown_path_is_a_problem_document(path: str) -> None:
    async with group(Data()) as workers:
        answer = await (await workers.worker()).get(path)

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this path.",
    }


@pytest.mark.parametrize("name", ["../routes.py", "..%2Froutes.py", "stations.html", "x.js", "%00"])
async def test_only_the_files_of_the_page_are_served(name: str) -> None:
    async with group(Data()) as workers:
        answer = await (await workers.worker()).get(f"/static/{name}")

    assert answer.status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_method_that_is_not_possible_says_which_are(method: str) -> None:
    async with group(Data()) as workers:
        answer = await (await workers.worker()).get("/v1/stations", method=method)

    assert answer.status == 405
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Allow"] == "GET,HEAD"
    assert answer.json["detail"] == f"{method} is not possible here, only GET, HEAD."


async def test_a_head_request_is_answered_without_a_body() -> None:
    async with group(Data()) as workers:
        answer = await (await workers.worker()).get("/v1/stations", method="HEAD")

    assert (answer.status, answer.text) == (200, "")


async def test_rows_that_cannot_be_read_are_no_bug_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def damaged(*_: Any) -> Any:
        raise DamagedStoreError(Path("/data/station-status-3"), "Corruption")

    async with group(Data()) as workers:
        worker = await workers.worker()
        worker.reader.registered = damaged  # type: ignore[assignment]
        with caplog.at_level(logging.ERROR):
            answer = await worker.get("/v1/stations/EV-1")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json["detail"] == "The rows of this worker cannot be read; ask again."
    [record] = caplog.records
    assert record.exc_info is None
    assert "the next start drops them" in record.getMessage()


async def test_a_bug_of_ours_is_logged_and_tells_nothing_to_the_outside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret detail")

    async with group(Data()) as workers:
        worker = await workers.worker()
        worker.reader.registered = broken  # type: ignore[assignment]
        with caplog.at_level(logging.ERROR):
            answer = await worker.get("/v1/stations/EV-1")

    assert answer.status == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "secret detail" in caplog.text
    models.Problem.model_validate(answer.json)


@pytest.mark.parametrize("path", [*PUBLIC, "/nowhere"])
async def test_every_answer_keeps_browsers_strict(path: str) -> None:
    async with group(Data()) as workers:
        answer = await (await workers.worker()).get(path)

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
