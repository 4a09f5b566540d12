"""What HTTP says of sessions that are not billed, because billing is switched off."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from evcharge.web import models
from tests.web.memory_web import END, SESSION, START, STATION, UPDATE, MemoryWeb, event, memory_web

OTHER_END = event("end", 40, energy_kwh=12)


@pytest_asyncio.fixture
async def web() -> AsyncIterator[MemoryWeb]:
    async with memory_web(billing=False) as made:
        yield made


async def test_neither_a_running_nor_an_ended_session_has_a_cost(web: MemoryWeb) -> None:
    await web.send(START, UPDATE)
    running = await web.session()
    models.Session.model_validate(running)
    assert (running["state"], running["cost"]) == ("active", None)
    await web.send(END)
    ended = await web.session()
    models.Session.model_validate(ended)
    assert (ended["state"], ended["cost"]) == ("completed", None)
    assert (await web.get(f"/v1/stations/{STATION}/sessions"))["sessions"] == [ended]
    assert (await web.get("/v1/users/U1/invoices"))["invoices"] == []


async def test_a_held_session_is_listed_with_its_reasons(web: MemoryWeb) -> None:
    web.register({"station_id": STATION, "tariff_id": "T2"})
    await web.send(START, END, OTHER_END)
    (held,) = (await web.get("/v1/sessions?state=held"))["sessions"]
    assert (held["held_reasons"], held["cost"]) == (["conflicting-end"], None)
    evidence = await web.get(f"/v1/sessions/{SESSION}/evidence")
    assert (evidence["billed"], len(evidence["records"])) == (None, 3)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((START,), "billing is switched off"),
        ((START, event("end", 30)), "billing is switched off"),
        ((START, END, OTHER_END), "it was completed while billing was switched off"),
    ],
)
async def test_a_decision_is_refused_before_anything_is_written(
    web: MemoryWeb, events: tuple[dict[str, object], ...], said: str
) -> None:
    for each in events:
        await web.send(each)
    answer = await web.decide("void", len(events))
    assert answer.status == 409
    models.Problem.model_validate(answer.json)
    assert answer.json["detail"] == f"The session cannot be decided so: {said}."
    assert answer.json["revision"] == len(events)
    assert web.log.records == []
