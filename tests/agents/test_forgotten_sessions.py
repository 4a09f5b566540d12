"""The agent of ``charging-sessions`` forgets sessions by the clock of the log, however it is cut."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from evcharge.domain.session import Lifecycle
from evcharge.domain.session.machine import FORGOTTEN, TABLE, Event, Refusal
from evcharge.engine.chunk import FirstArrival
from evcharge.kafka.log import Output
from evcharge.settings import Settings
from evcharge.testing import NOW_MS, MemoryWorker
from tables.charging_sessions import PRESENT, session_key
from tests.agents.billing_events import decision
from tests.agents.session_events import END, SESSION, START, event

DAY_MS = 86_400_000
UPDATE = event("update", 10, energy_kwh=1.5)
OTHER = START | {"session_id": "S2"}
OTHER_END = event("end", 40, energy_kwh=6)


def rows_left(worker: MemoryWorker) -> dict[bytes, bytes]:
    """Return the rows of all partitions, as the changelog leaves them."""
    rows: dict[bytes, bytes] = {}
    for key, value in worker.changelog("charging-sessions"):
        rows.pop(key, None)
        if value is not None and not key.startswith(b"\x00"):
            rows[key] = value
    return rows


def sealed(worker: MemoryWorker) -> list[Output]:
    return [each for each in worker.outputs if each.topic == "sealed-sessions"]


def reasons(worker: MemoryWorker) -> list[bytes | None]:
    return [dict(letter.headers)["reason"] for letter in worker.dead_letters]


async def test_100_days_after_the_end_a_record_is_a_dead_letter(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("charging-sessions", START, END)
    late = NOW_MS + 100 * DAY_MS
    await evcharge_worker.send("charging-sessions", UPDATE, timestamp_ms=late - 1)
    assert evcharge_worker.dead_letters == []
    await evcharge_worker.send("charging-sessions", OTHER_END, timestamp_ms=late)
    assert reasons(evcharge_worker) == [b"too-late"]
    state = evcharge_worker.state.session("EV-001", "S1")
    assert state is not None
    assert (state.lifecycle, state.revision) == (Lifecycle.COMPLETED, 3)


async def test_a_day_later_only_the_marker_is_left_and_still_refuses(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("charging-sessions", START, UPDATE, END)
    later = NOW_MS + 101 * DAY_MS
    await evcharge_worker.send("charging-sessions", OTHER, timestamp_ms=later)
    assert {key: value for key, value in rows_left(evcharge_worker).items() if b"S1" in key} == {
        session_key("EV-001", "S1"): PRESENT
    }
    assert evcharge_worker.state.session("EV-001", "S1") is None
    home = evcharge_worker.state.partition_of("EV-001")
    assert list(evcharge_worker.state.stations_having(home, "S1")) == []
    assert [session for session, _ in evcharge_worker.state.sessions_of("EV-001")] == ["S2"]
    table = evcharge_worker.app.table_of("charging-sessions")
    for _ in range(2):
        await evcharge_worker.send("charging-sessions", START, END, timestamp_ms=later)
        evcharge_worker.app.lane.forget(table, home)
    assert reasons(evcharge_worker) == [b"too-late"] * 4
    assert len(sealed(evcharge_worker)) == 1
    assert evcharge_worker.failures == []


OF_EACH = {
    Event.START: ("charging-sessions", START),
    Event.UPDATE: ("charging-sessions", UPDATE),
    Event.END: ("charging-sessions", END),
    Event.CORRECTION: ("charging-sessions", event("end", 30, energy_kwh=7, correction=True)),
    Event.CLOSED: (
        "charging-sessions",
        SESSION
        | {
            "start_time": "2023-05-01T10:00:00Z",
            "end_time": "2023-05-01T10:30:00Z",
            "energy_kwh": 5.25,
        },
    ),
    Event.APPROVE: ("session-decisions", decision("approve", 3, "D1")),
    Event.CORRECT: ("session-decisions", decision("correct", 3, "D1", energy_kwh=2)),
    Event.VOID: ("session-decisions", decision("void", 3, "D1")),
}


@pytest.mark.parametrize("happening", OF_EACH)
async def test_nothing_brings_a_forgotten_session_back(
    evcharge_worker: MemoryWorker, happening: Event
) -> None:
    await evcharge_worker.send("charging-sessions", START, UPDATE, END)
    later = NOW_MS + 101 * DAY_MS
    await evcharge_worker.send("charging-sessions", OTHER, timestamp_ms=later)
    assert evcharge_worker.state.session("EV-001", "S1") is None
    written = len(sealed(evcharge_worker))
    topic, value = OF_EACH[happening]
    await evcharge_worker.send(topic, value, timestamp_ms=later)
    into, refusal = TABLE[FORGOTTEN][happening]
    assert into == (FORGOTTEN,)
    assert evcharge_worker.state.session("EV-001", "S1") is None
    assert len(sealed(evcharge_worker)) == written
    # Over HTTP a decision is refused before: there is no such session.
    assert refusal is (Refusal.TOO_LATE if topic == "charging-sessions" else Refusal.NOT_FOUND)
    assert reasons(evcharge_worker) == [b"too-late"]


def test_whatever_can_happen_to_a_forgotten_session_is_tried() -> None:
    assert {*OF_EACH, Event.DEADLINE} == set(Event)


async def test_a_held_session_is_not_forgotten_and_its_missing_record_never_too_late(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("charging-sessions", UPDATE, END)
    cured = NOW_MS + 300 * DAY_MS
    await evcharge_worker.send("charging-sessions", START, timestamp_ms=cured)
    assert len(sealed(evcharge_worker)) == 1
    # It was completed then: its 100 days count from there.
    await evcharge_worker.send("charging-sessions", UPDATE, timestamp_ms=cured + 99 * DAY_MS)
    assert evcharge_worker.dead_letters == []
    await evcharge_worker.send("charging-sessions", UPDATE, timestamp_ms=cured + 100 * DAY_MS)
    assert reasons(evcharge_worker) == [b"too-late"]


async def test_a_session_that_never_ended_is_never_forgotten(evcharge_worker: MemoryWorker) -> None:
    await evcharge_worker.send("charging-sessions", START)
    await evcharge_worker.send("charging-sessions", END, timestamp_ms=NOW_MS + 1000 * DAY_MS)
    assert evcharge_worker.dead_letters == []


@pytest.mark.parametrize(
    "days", [(0, 0, 99, 100, 101), (0, 60, 120, 160, 300), (0, 250, 251, 400, 500)]
)
async def test_a_replay_in_any_chunks_refuses_the_same_records(days: tuple[int, ...]) -> None:
    arrivals: list[tuple[dict[str, Any], int]] = list(
        zip((START, END, UPDATE, OTHER_END, UPDATE), days, strict=True)
    )
    expected = None
    for cuts in itertools.product([False, True], repeat=len(arrivals) - 1):
        async with MemoryWorker() as worker:
            home = worker.state.partition_of("EV-001")
            chunk: list[FirstArrival] = []
            for offset, (value, day) in enumerate(arrivals):
                chunk.append(
                    FirstArrival(
                        b"EV-001", json.dumps(value).encode(), NOW_MS + day * DAY_MS, home, offset
                    )
                )
                if offset == len(arrivals) - 1 or cuts[offset]:
                    await worker.deliver("charging-sessions", home, chunk)
                    chunk = []
            told = [dict(letter.headers)["offset"] for letter in worker.dead_letters]
            assert set(reasons(worker)) <= {b"too-late"}
            seen = (told, [each.value for each in sealed(worker)])
            assert expected in (None, seen), cuts
            expected = seen


async def test_how_long_sessions_are_remembered_is_a_setting() -> None:
    async with MemoryWorker(Settings(partitions=4, session_memory_days=1)) as worker:
        await worker.send("charging-sessions", START, END)
        await worker.send("charging-sessions", UPDATE, timestamp_ms=NOW_MS + DAY_MS)
        assert reasons(worker) == [b"too-late"]
