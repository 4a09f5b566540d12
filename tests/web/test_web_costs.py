"""What sessions cost as they are read: the bill's own cost, or what the bill would be."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from evcharge.domain.billing.bill import Session
from evcharge.domain.session import fold
from evcharge.web import costs, models
from tests.domain.billing_desk import Till
from tests.domain.session_records import LIMITS
from tests.domain.session_records import end as ended
from tests.domain.session_records import start as started
from tests.domain.session_records import update as updated
from tests.web.fake_worker import Data, group
from tests.web.memory_web import END, START, STATION, UPDATE, MemoryWeb, event, memory_web


@pytest_asyncio.fixture
async def web() -> AsyncIterator[MemoryWeb]:
    async with memory_web() as made:
        yield made


def totals(session: dict[str, Any]) -> tuple[str, str]:
    cost = session["cost"]
    return cost["excl_vat"], cost["incl_vat"]


async def test_a_running_session_costs_what_its_bill_would_if_it_ended_with_its_last_record(
    web: MemoryWeb,
) -> None:
    await web.send(START, UPDATE)
    running = await web.session()
    models.Session.model_validate(running)
    assert running["state"] == "active"
    assert totals(running) == ("2.00", "2.40")
    assert running["cost"]["as_of"] == "2023-05-01T10:20:00Z"

    await web.send(event("end", 20, energy_kwh=4))
    assert (await web.session())["cost"] == running["cost"]


async def test_a_sealed_session_costs_what_its_invoice_says_whatever_is_published_later(
    web: MemoryWeb,
) -> None:
    await web.send(START, UPDATE, END)
    web.publish("0.90")
    session = await web.session()
    models.Session.model_validate(session)
    (invoice,) = (await web.get("/v1/users/U1/invoices"))["invoices"]
    assert totals(session) == ("5.00", "6.00")
    assert session["cost"] == invoice["cost"]


async def test_a_sealed_session_without_an_invoice_costs_what_its_stored_terms_say(
    web: MemoryWeb,
) -> None:
    await web.send(START | {"user_id": None}, END)
    web.publish("0.90")
    assert totals(await web.session()) == ("5.00", "6.00")


async def test_a_sealed_session_without_an_invoice_that_is_held_shows_what_approving_it_would_bill(
    web: MemoryWeb,
) -> None:
    await web.send(START | {"user_id": None}, END)
    web.publish("0.90")
    await web.send(event("end", 40, energy_kwh=12, user_id="U1"), event("end", 30, energy_kwh=12))
    session = await web.session()
    assert session["held_reasons"] == ["conflicting-end"]
    await web.decide("approve", session["revision"])
    decided = await web.session()
    assert (decided["state"], decided["energy_kwh"]) == ("completed", session["energy_kwh"])
    assert decided["cost"] == session["cost"]


async def test_a_running_session_is_priced_by_the_tariff_that_would_be_chosen_now(
    web: MemoryWeb,
) -> None:
    await web.send(START, UPDATE)
    web.publish("0.90")
    assert totals(await web.session()) == ("3.60", "4.32")


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((START, event("end", 30)), "no-energy"),
        ((END,), "no-start"),
        ((START, event("end", 30, energy_kwh=1, timestamp="2023-05-01T09:00:00Z")), None),
    ],
)
async def test_what_cannot_be_priced_has_no_cost(
    web: MemoryWeb, events: tuple[dict[str, Any], ...], reason: str | None
) -> None:
    await web.send(*events)
    session = await web.session()
    assert (session["state"], session["cost"]) == ("held", None)
    assert session["held_reasons"] == [reason or "end-before-start"]


async def test_a_tariff_that_is_not_known_prices_nothing(web: MemoryWeb) -> None:
    web.register({"station_id": STATION, "tariff_id": "T2"})
    await web.send(START, END)
    session = await web.session()
    assert (session["held_reasons"], session["cost"]) == (["no-tariff"], None)


async def test_a_held_session_that_can_be_priced_shows_what_approving_it_would_bill(
    web: MemoryWeb,
) -> None:
    await web.send(START, UPDATE, event("end", 30, energy_kwh=10), event("end", 40, energy_kwh=12))
    session = await web.session()
    assert (session["state"], totals(session)) == ("held", ("5.00", "6.00"))


async def test_a_session_that_changed_after_its_invoice_shows_what_its_records_cost_now(
    web: MemoryWeb,
) -> None:
    await web.send(START, END)
    web.publish("0.90")
    await web.send(event("end", 30, energy_kwh=12, correction=True))
    session = await web.session()
    assert session["held_reasons"] == ["changed-after-invoice"]
    assert (session["energy_kwh"], totals(session)) == (12, ("6.00", "7.20"))


async def test_a_corrected_session_shows_what_was_corrected_and_what_that_costs(
    web: MemoryWeb,
) -> None:
    await web.send(START, END)
    await web.decide("correct", 2, energy_kwh="8", ended_at="2023-05-01T10:25:00Z")
    session = await web.session()
    assert (session["state"], session["energy_kwh"], totals(session)) == (
        "completed",
        8,
        ("4.00", "4.80"),
    )
    assert (session["ended_at"], session["duration_s"]) == ("2023-05-01T10:25:00Z", 1500)


@pytest.mark.parametrize("rule", [costs._sealed, costs._running])
def test_a_session_that_is_forgotten_while_it_is_priced_has_no_cost(rule: Any) -> None:
    till = Till()
    till.send(started(0), ended(60, 10.0))
    assert till.state is not None
    forgotten = Session("EV-001", "S1", till.state, lambda: (), LIMITS)
    assert rule(till.desk, forgotten, till.account) is None


async def test_a_void_session_costs_nothing(web: MemoryWeb) -> None:
    await web.send(START, END)
    await web.decide("void", 2)
    session = await web.session()
    assert (session["state"], session["cost"], session["revision"]) == ("void", None, 3)


async def test_a_session_priced_in_a_thread_costs_the_same(
    web: MemoryWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    await web.send(START, UPDATE)
    before = await web.session()
    monkeypatch.setattr(costs, "FEW_RECORDS", 0)
    assert await web.session() == before


async def test_a_tariff_that_changes_too_often_in_a_session_gives_it_no_cost(
    web: MemoryWeb,
) -> None:
    hours = [
        {
            "price_components": [{"type": "ENERGY", "price": str(hour)}],
            "restrictions": {"start_time": f"{hour:02}:00", "end_time": f"{hour + 1:02}:00"},
        }
        for hour in range(23)
    ]
    web.publish(elements=hours)
    await web.send(event("start", 0, timestamp="1970-01-02T00:00:00Z"), UPDATE)
    session = await web.session()
    assert (session["state"], session["cost"]) == ("active", None)
    await web.send(END)
    refused = await web.decide("approve", 3)
    assert (refused.status, "changes its tariff" in refused.json["detail"]) == (409, True)
    assert (await web.session())["held_reasons"] == ["too-long"]
    assert (await web.decide("correct", 3, started_at="2023-05-01T10:00:00Z")).status == 200


async def test_a_list_prices_its_sessions_too(web: MemoryWeb) -> None:
    await web.send(START, UPDATE, event("start", 0, session_id="S2"))
    sessions = await web.get(f"/v1/stations/{STATION}/sessions")
    models.Sessions.model_validate(sessions)
    assert {each["session_id"]: totals(each)[0] for each in sessions["sessions"]} == {
        "S1": "2.00",
        "S2": "0.00",
    }


async def test_a_page_ends_early_where_pricing_it_would_read_too_many_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(costs, "MOST_RECORDS", 5)
    records = [started(0), updated(5, 1), updated(9, 2)]
    data = Data()
    for number in range(4):
        key = "EV-1", f"S{number}"
        data.sessions[key], data.records[key] = fold(records, LIMITS), records

    async with group(data) as workers:
        worker = await workers.worker()
        page = await worker.get("/v1/stations/EV-1/sessions?limit=3")
        found = await worker.walk("/v1/stations/EV-1/sessions?limit=3", "sessions")

    assert len(page.json["sessions"]) == 1
    assert [each["session_id"] for each in found] == ["S0", "S1", "S2", "S3"]
    assert {json.dumps(each["cost"]) for each in found} == {json.dumps(found[0]["cost"])}
    assert found[0]["cost"]["excl_vat"] == "1.00"
