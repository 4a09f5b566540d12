"""The agent of ``charging-sessions``: the rows that a session gets, whatever the order of arrival."""

from __future__ import annotations

import itertools

import pytest

from evcharge.domain.session import Lifecycle
from evcharge.testing import MemoryWorker
from tables.charging_sessions import (
    index_key,
    open_key,
    session_key,
)
from tests.agents.session_events import END, START, event

UPDATE = event("update", 10, energy_kwh=1.5, power_kw=11)
LATER = event("update", 20, energy_kwh=3.5, power_kw=7.5)


async def test_a_running_session_has_its_energy_and_is_open(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("charging-sessions", START, UPDATE)
    state = evcharge_worker.state.session("EV-001", "S1")
    assert state is not None
    assert (state.lifecycle, state.energy_uwh, state.power_mw) == (
        Lifecycle.ACTIVE,
        1_500_000_000,
        11_000_000,
    )
    (running,) = evcharge_worker.state.open_sessions("EV-001")
    assert (running.session_id, running.connector_id) == ("S1", 2)


async def test_a_session_that_ended_is_not_open_any_more(evcharge_worker: MemoryWorker) -> None:
    await evcharge_worker.send("charging-sessions", START)
    await evcharge_worker.send("charging-sessions", END)
    state = evcharge_worker.state.session("EV-001", "S1")
    assert state is not None
    assert state.lifecycle is Lifecycle.COMPLETED
    assert evcharge_worker.state.open_sessions("EV-001") == []


async def test_a_session_is_found_by_its_id_alone(evcharge_worker: MemoryWorker) -> None:
    await evcharge_worker.send("charging-sessions", START)
    await evcharge_worker.send("charging-sessions", START | {"station_id": "EV-002"})
    found = [
        station
        for partition in range(4)
        for station in evcharge_worker.state.stations_having(partition, "S1")
    ]
    assert sorted(found) == ["EV-001", "EV-002"]


async def test_the_rows_of_a_new_session_are_its_state_with_its_records_and_two_marks(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("charging-sessions", START, UPDATE)
    keys = {key for key, _ in evcharge_worker.changelog("charging-sessions")}
    assert keys == {
        session_key("EV-001", "S1"),
        open_key("EV-001", "S1"),
        index_key("S1", "EV-001"),
        b"\x00source\x00charging-sessions",
    }


async def test_an_update_in_order_costs_at_most_300_bytes_of_changelog_whatever_came_before(
    evcharge_worker: MemoryWorker,
) -> None:
    ids = {
        "station_id": "c2a7d3be-35b1-4a0e-a4b7-5a3d7f3b9b60",
        "session_id": "0b9ad1f6-9d5f-4f7e-8a43-0d5f0a9c6a11",
    }
    user = {"user_id": "7a1e4f0c-2b7f-4a51-9a69-9a6c2f6e4d3b"}
    await evcharge_worker.send("charging-sessions", START | ids | user)
    sizes = []
    for second in range(1, 400):
        update = UPDATE | {
            **ids,
            "timestamp": f"2023-05-01T11:{second // 60:02}:{second % 60:02}Z",
            "energy_kwh": 5 + second / 16,
            "current_a": 216,
            "soc_percent": 55.5,
            "seq": second,
            "event_id": f"d9c0a8d6-8c4e-4a0b-b1c7-{second:012d}",
        }
        before = len(evcharge_worker.changelog("charging-sessions"))
        await evcharge_worker.send("charging-sessions", update)
        added = evcharge_worker.changelog("charging-sessions")[before:]
        # How far the source was read is written once for each chunk, however many updates it has.
        rows = [(k, v) for k, v in added if not k.startswith(b"\x00")]
        sizes.append(sum(len(k) + len(v or b"") for k, v in rows))
    assert max(sizes) <= 300
    # Only numbers grow.
    assert max(sizes[-10:]) <= max(sizes[:10]) + 20


@pytest.mark.parametrize("chunks", ["one", "each its own"])
async def test_any_order_of_arrival_ends_in_the_same_rows(chunks: str) -> None:
    expected = None
    for order in itertools.permutations([START, UPDATE, LATER, END, UPDATE]):
        async with MemoryWorker() as worker:
            if chunks == "one":
                await worker.send("charging-sessions", *order)
            else:
                for record in order:
                    await worker.send("charging-sessions", record)
            state = worker.state.session("EV-001", "S1")
            assert expected in (None, state), order
            expected = state
            assert worker.state.open_sessions("EV-001") == []
            kept = worker.state.kept("EV-001", "S1")
            assert kept is not None
            assert len(kept.session.records()) == 4
            assert worker.dead_letters == []


async def test_sessions_of_one_id_on_two_stations_are_two_sessions(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("charging-sessions", START, END)
    await evcharge_worker.send("charging-sessions", START | {"station_id": "EV-002"})
    one = evcharge_worker.state.session("EV-001", "S1")
    other = evcharge_worker.state.session("EV-002", "S1")
    assert one is not None
    assert other is not None
    assert (one.lifecycle, other.lifecycle) == (Lifecycle.COMPLETED, Lifecycle.ACTIVE)


async def test_a_station_that_only_had_sessions_is_listed(evcharge_worker: MemoryWorker) -> None:
    for station in ("EV-1", "EV-10", "EV-2"):
        await evcharge_worker.send("charging-sessions", START | {"station_id": station})
    listed = [
        station
        for partition in range(4)
        for station in evcharge_worker.state.station_ids(partition, None)
    ]
    assert sorted(listed) == ["EV-1", "EV-10", "EV-2"]


async def test_records_ahead_of_their_time_are_counted(evcharge_worker: MemoryWorker) -> None:
    ten_minutes_ahead = "2023-11-14T22:23:20Z"
    await evcharge_worker.send(
        "charging-sessions", START, UPDATE | {"timestamp": ten_minutes_ahead}
    )
    await evcharge_worker.send(
        "station-status",
        {"station_id": "EV-001", "timestamp": ten_minutes_ahead, "status": "free"},
    )
    counted = evcharge_worker.app.lane.counters.values
    assert counted["records_ahead", "charging-sessions"] == 1
    assert counted["records_ahead", "station-status"] == 1


@pytest.mark.parametrize("timestamp_ms", [-1, -(2**63), 2**63 - 1])
async def test_a_time_in_kafka_that_nothing_can_have_arrived_at_stops_no_worker(
    evcharge_worker: MemoryWorker, timestamp_ms: int
) -> None:
    await evcharge_worker.send("charging-sessions", START, timestamp_ms=timestamp_ms)
    (letter,) = evcharge_worker.dead_letters
    assert ("reason", b"bad-value") in letter.headers
    await evcharge_worker.send("charging-sessions", START)
    assert evcharge_worker.state.session("EV-001", "S1") is not None
    assert evcharge_worker.failures == []
