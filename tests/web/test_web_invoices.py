"""Invoices over HTTP: one by its id, those of a user, and the page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evcharge.web.billing_models import Invoice, Invoices
from evcharge.web.invoice_page import POLICY
from tests.web.fake_worker import Data, Worker, group, id_in
from tests.web.memory_web import END, START, STATION, event, memory_web
from tests.web.test_invoice_page import credit_note, invoice

MISSING = "0" * 32


def issued() -> Data:
    """Five documents of U1 in four partitions, and one of another user."""
    data = Data()
    for place, name in enumerate(("a", "b", "c", "d", "e")):
        add(data, name, id_in(place % 4))
    add(data, "f", id_in(0), user_id="U2")
    return data


def add(data: Data, name: str, station_id: str, **members: Any) -> None:
    document = invoice(invoice_id=name * 32, station_id=station_id, **members)
    data.invoices[name * 32] = station_id, json.dumps(document).encode()


async def walk(worker: Worker, limit: int) -> list[str]:
    found = await worker.walk(f"/v1/users/U1/invoices?limit={limit}", "invoices")
    return [each["invoice_id"][0] for each in found]


# -- one


async def test_what_was_issued_is_answered_as_it_went_to_the_topic() -> None:
    async with memory_web() as web:
        await web.send(START, END)
        (output,) = (each for each in web.worker.outputs if each.topic == "invoices")
        assert output.value is not None
        name = json.loads(output.value)["invoice_id"]
        answer = await web.ask(f"/v1/invoices/{name}")

    assert (answer.status, answer.text) == (200, output.value.decode())
    assert answer.headers["Content-Type"] == "application/json"
    Invoice.model_validate(answer.json)
    assert (answer.json["station_id"], answer.json["cost"]["incl_vat"]) == (STATION, "6.00")


async def test_an_invoice_is_found_wherever_it_is() -> None:
    data = issued()
    async with group(data) as workers:
        one, other = await workers.worker([0, 1]), await workers.worker([2, 3])
        for worker in (one, other):
            for name, (_, document) in data.invoices.items():
                answer = await worker.get(f"/v1/invoices/{name}")
                assert (answer.status, answer.text) == (200, document.decode())


async def test_an_invoice_is_missing_only_once_every_partition_has_said_so() -> None:
    data = issued()
    async with group(data) as workers:
        worker = await workers.worker([0, 1, 2])
        unsure, found = [await worker.get(f"/v1/invoices/{name}") for name in (MISSING, "a" * 32)]
        await workers.worker([3])
        sure = await worker.get(f"/v1/invoices/{MISSING}")
        nonsense = await worker.get("/v1/invoices/a%20b")

    assert (unsure.status, unsure.headers["Retry-After"]) == (503, "1")
    assert (found.status, "stale" in found.json) == (200, False)
    assert (sure.status, nonsense.status) == (404, 404)
    assert sure.headers["Content-Type"] == "application/problem+json"


async def test_an_invoice_of_a_copy_is_marked_and_one_that_it_lacks_is_not_missing() -> None:
    data = issued()
    async with group(data) as workers:
        one = await workers.worker([0, 1, 2], copies=[3])
        other = await workers.worker([])
        gone = await workers.worker([3])
        await gone.server.close()
        for worker in (one, other):
            copied = await worker.get(f"/v1/invoices/{'d' * 32}")
            assert (copied.status, copied.json["stale"]) == (200, True)
            assert "stale" not in (await worker.get(f"/v1/invoices/{'a' * 32}")).json
            assert (await worker.get(f"/v1/invoices/{MISSING}")).status == 503


# -- a user's


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_cursors_walk_a_users_invoices_of_all_workers_by_id(limit: int) -> None:
    async with group(issued()) as workers:
        one, other = await workers.worker([0, 2]), await workers.worker([1, 3])
        assert await walk(one, limit) == await walk(other, limit) == list("abcde")
        page = (await one.get("/v1/users/U1/invoices")).json

    Invoices.model_validate(page)
    assert (page["partial"], page["next"]) == (False, None)


async def test_a_user_without_invoices_has_an_empty_list() -> None:
    async with group(issued()) as workers:
        worker = await workers.worker()
        answer = await worker.get("/v1/users/U9/invoices")
        nonsense = await worker.get("/v1/users/a%20b/invoices")
        cursor = await worker.get("/v1/users/U1/invoices?cursor=x")

    assert answer.json == {"invoices": [], "next": None, "partial": False}
    assert nonsense.status == 404
    assert (cursor.status, cursor.json["parameter"]) == (400, "cursor")


async def test_a_users_list_says_what_it_misses_and_what_is_stale() -> None:
    async with group(issued()) as workers:
        one = await workers.worker([0, 1], copies=[3])
        page = (await one.get("/v1/users/U1/invoices")).json

    assert [each["invoice_id"][0] for each in page["invoices"]] == ["a", "b", "d", "e"]
    assert (page["partial"], page["stale"]) == (True, True)
    assert [each["invoice_id"][0] for each in page["invoices"] if "stale" in each] == ["d"]


async def test_credit_notes_are_among_a_users_invoices() -> None:
    async with memory_web() as web:
        await web.send(START, END, event("end", 30, energy_kwh=12, correction=True))
        await web.decide("approve", 3)
        page = await web.get("/v1/users/U1/invoices")

    Invoices.model_validate(page)
    ids = [each["invoice_id"] for each in page["invoices"]]
    assert ids == sorted(ids)
    kinds = {each["number"][-1]: each["kind"] for each in page["invoices"]}
    assert kinds == {"1": "invoice", "2": "credit_note", "3": "invoice"}


# -- the page


async def test_the_page_of_an_invoice_runs_nothing_and_asks_nobody() -> None:
    async with group(issued()) as workers:
        one, other = await workers.worker([0, 1]), await workers.worker([2, 3])
        for worker in (one, other):
            page = await worker.get(f"/invoices/{'d' * 32}")
            assert page.status == 200
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
            assert page.headers["Content-Security-Policy"] == POLICY
            assert "<h1>Invoice</h1>" in page.text


async def test_the_page_of_a_credit_note_leads_to_its_invoice() -> None:
    note, data = credit_note(), Data()
    name, station_id = note["invoice_id"], note["station_id"]
    data.invoices[name] = station_id, json.dumps(note).encode()
    credited = note["credits"]["invoice_id"]
    data.invoices[credited] = station_id, json.dumps(invoice()).encode()
    async with group(data) as workers:
        worker = await workers.worker()
        page = await worker.get(f"/invoices/{name}")
        linked = await worker.get(f"/invoices/{credited}")

    assert "<h1>Credit note</h1>" in page.text
    assert f'href="/invoices/{credited}"' in page.text
    assert linked.status == 200


@pytest.mark.parametrize("name", [MISSING, "<script>", "a%20b", "%3Cscript%3E"])
async def test_an_id_without_an_invoice_has_a_page_that_says_so(name: str) -> None:
    async with group(Data()) as workers:
        page = await (await workers.worker()).get(f"/invoices/{name}")

    assert page.status == 404
    assert page.headers["Content-Security-Policy"] == POLICY
    assert "No such invoice" in page.text
    assert "<script" not in page.text


async def test_while_nobody_can_tell_the_page_says_that() -> None:
    async with group(Data()) as workers:
        page = await (await workers.worker([0])).get(f"/invoices/{MISSING}")

    assert (page.status, page.headers["Retry-After"]) == (503, "1")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Not at this moment" in page.text
