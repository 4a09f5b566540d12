"""The agent of ``charging-sessions`` seals each completed session, again if nothing is invoiced."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evcharge.kafka.log import Output
from evcharge.testing import NOW_MS, MemoryWorker
from tests.agents.billing_events import priced
from tests.agents.session_events import END, SESSION, START, event

UPDATE = event("update", 10, energy_kwh=1.5)
LATE = event("update", 5, energy_kwh=0.75)
OTHER_END = event("end", 40, energy_kwh=6)
CORRECTION = event("end", 50, energy_kwh=7, correction=True)


def sealed(worker: MemoryWorker) -> list[Output]:
    return [each for each in worker.outputs if each.topic == "sealed-sessions"]


async def test_a_completed_session_is_sealed_in_its_stations_partition(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("charging-sessions", START, UPDATE)
    assert sealed(evcharge_worker) == []
    await evcharge_worker.send("charging-sessions", END)
    (output,) = sealed(evcharge_worker)
    home = evcharge_worker.state.partition_of("EV-001")
    assert (output.partition, output.key) == (home, b"EV-001")
    record = json.loads(output.value or b"")
    told = ("segments", "terms", "cost", "evidence")
    assert all(record.pop(member) for member in told)
    assert record == {
        **SESSION,
        "bill": 1,
        "state": "completed",
        "decision": None,
        "v": 1,
        "connector_id": 2,
        "user_id": "U1",
        "started_at": "2023-05-01T10:00:00Z",
        "ended_at": "2023-05-01T10:30:00Z",
        "duration_s": 1800,
        "energy_kwh": "5.25",
        "meter_start_kwh": None,
        "meter_end_kwh": None,
        "completed_at": "2023-11-14T22:13:20Z",
        "revision": 3,
    }


@pytest.mark.parametrize(
    "arrivals",
    [
        (START, UPDATE, END, LATE, END, OTHER_END),
        (END, UPDATE, START, END, LATE, START),
        (OTHER_END, START, END, UPDATE),
    ],
)
async def test_the_cut_into_chunks_does_not_change_what_is_sealed(
    arrivals: tuple[dict[str, Any], ...],
) -> None:
    expected = None
    for cut in range(len(arrivals) + 1):
        async with MemoryWorker() as worker:
            for chunk in (arrivals[:cut], arrivals[cut:]):
                await worker.send("charging-sessions", *chunk)
            outputs = sealed(worker)
            assert outputs
            assert expected in (None, outputs)
            expected = outputs


async def test_an_invoiced_session_is_not_sealed_again_by_whatever_arrives(
    evcharge_worker: MemoryWorker,
) -> None:
    priced(evcharge_worker)
    await evcharge_worker.send("charging-sessions", START, END)
    for record in (END, START, LATE, OTHER_END, CORRECTION):
        await evcharge_worker.send("charging-sessions", record)
    assert len(sealed(evcharge_worker)) == 1


async def test_a_session_without_an_invoice_follows_its_records(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("charging-sessions", START, END)
    for record in (END, START, OTHER_END):
        await evcharge_worker.send("charging-sessions", record)
    assert [each["bill"] for each in evcharge_worker.records("sealed-sessions")] == [1]
    await evcharge_worker.send("charging-sessions", CORRECTION)
    bills = evcharge_worker.records("sealed-sessions")
    assert [(each["bill"], each["energy_kwh"]) for each in bills] == [(1, "5.25"), (2, "7")]


async def test_a_held_session_is_sealed_when_what_was_missing_arrives(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("charging-sessions", UPDATE, END)
    assert sealed(evcharge_worker) == []
    await evcharge_worker.send("charging-sessions", START, timestamp_ms=NOW_MS + 60_000)
    (output,) = sealed(evcharge_worker)
    assert json.loads(output.value or b"")["completed_at"] == "2023-11-14T22:14:20Z"


async def test_the_seal_outlives_the_memory_of_the_worker(evcharge_worker: MemoryWorker) -> None:
    await evcharge_worker.send("charging-sessions", START, END)
    table = evcharge_worker.app.table_of("charging-sessions")
    evcharge_worker.app.lane.forget(table, evcharge_worker.state.partition_of("EV-001"))
    await evcharge_worker.send("charging-sessions", OTHER_END)
    assert len(sealed(evcharge_worker)) == 1
