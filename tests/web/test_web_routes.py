"""The interface is documented as it is served, and lives beside Faust's own pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import faust
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer

from evcharge.web import openapi
from evcharge.web.context import WebContext
from evcharge.web.metrics import Metrics
from evcharge.web.peers import Peers
from evcharge.web.routes import ENDPOINTS, add_routes
from tests.web.fake_worker import Data, FakeReader, group


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "$ref":
                yield each
            else:
                yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


async def test_the_document_that_is_served_is_that_of_the_code() -> None:
    async with group(Data()) as workers:
        answer = await (await workers.worker()).get("/openapi.json")

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == openapi.document(ENDPOINTS)


def test_every_reference_leads_to_a_schema_and_every_schema_is_used() -> None:
    document = openapi.document(ENDPOINTS)

    used = {each.removeprefix("#/components/schemas/") for each in references(document)}
    assert used == set(document["components"]["schemas"])


def test_every_endpoint_says_what_it_takes_and_gives() -> None:
    for endpoint in ENDPOINTS:
        operation = openapi.document(ENDPOINTS)["paths"][endpoint.path][endpoint.method.lower()]
        in_path = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", endpoint.path))
        assert operation["summary"].endswith(".")
        assert "200" in operation["responses"]
        assert ("requestBody" in operation) == (endpoint.method == "POST")
        if endpoint.path.startswith("/v1") and endpoint.method == "GET":
            assert "503" in operation["responses"]


def context() -> WebContext:
    def no_client() -> ClientSession:
        raise AssertionError

    return WebContext(
        reader=FakeReader(Data(), range(4)),
        peers=Peers("http://self", no_client),
        metrics=Metrics(),
        silence_us=1,
    )


async def test_in_a_faust_application_our_pages_answer_and_survive_a_second_initialisation() -> (
    None
):
    app: Any = faust.App(
        "routes", broker="kafka://127.0.0.1:1", store="memory://", autodiscover=False
    )
    ours = context()

    add_routes(app.web.web_app, ours)
    add_routes(app.web.web_app, ours)
    app.web.init_server()

    async with TestClient(TestServer(app.web.web_app)) as client:
        page = await client.get("/")
        assert page.content_type == "text/html"
        assert "Charging stations" in await page.text()
        assert (await client.get("/v1/stations")).status == 200
        assert (await client.get("/nowhere")).content_type == "application/problem+json"
