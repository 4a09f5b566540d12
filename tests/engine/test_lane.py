"""The lane tells listeners what became durable, as the changelog has it, and waits for none of them."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from faust.types import TP

from evcharge.engine.change_feed import Change, ChangeFeed, Missed, Place
from evcharge.engine.recovery import BulkRecovery, LaneTableManager
from evcharge.engine.table import StateTable
from evcharge.testing import MemoryWorker

TABLE = "station-status"


def status(minute: int, status: str = "free") -> dict[str, str]:
    return {
        "station_id": "EV-001",
        "timestamp": f"2023-05-01T10:{minute:02}:00Z",
        "status": status,
    }


async def test_a_listener_hears_each_step_with_the_offset_of_its_last_row_in_the_changelog(
    evcharge_worker: MemoryWorker,
) -> None:
    home = Place(TABLE, evcharge_worker.state.partition_of("EV-001"))
    store = cast("StateTable", evcharge_worker.app.tables[TABLE]).partition(home.partition)
    with evcharge_worker.app.lane.feed.subscribe() as subscription:
        changes = aiter(subscription)
        for minute in range(3):
            await evcharge_worker.send(TABLE, status(minute, "free" if minute % 2 else "faulted"))
            async with asyncio.timeout(5):
                told = await anext(changes)
            assert isinstance(told, Change)
            assert told.place == home
            log = evcharge_worker.changelog(*home)
            # when it is told, it is durable: what is read anew up to there has it
            assert told.offset == len(log) - 1 == store.changelog_offset()
            assert told.rows
            assert all(
                dict(log)[key] == value == store.get(key) for key, value in told.rows.items()
            )


async def test_a_listener_that_does_not_read_neither_holds_up_the_lane_nor_makes_it_grow(
    evcharge_worker: MemoryWorker,
) -> None:
    home = Place(TABLE, evcharge_worker.state.partition_of("EV-001"))
    feed = evcharge_worker.app.lane.feed = ChangeFeed(remembered_rows=4)
    with feed.subscribe() as subscription:
        for minute in range(20):
            await evcharge_worker.send(TABLE, status(minute, "free" if minute % 2 else "faulted"))
        counted = evcharge_worker.app.lane.counters.values
        assert counted["records_applied", TABLE] == 20
        assert len(subscription._waiting) <= 4
        async with asyncio.timeout(5):
            assert await anext(aiter(subscription)) == Missed(home)


async def test_a_partition_that_is_taken_over_begins_in_the_feed_where_its_rows_stand(
    evcharge_worker: MemoryWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = evcharge_worker.app
    home = Place(TABLE, evcharge_worker.state.partition_of("EV-001"))
    await evcharge_worker.send(TABLE, status(0))
    table = cast("StateTable", app.tables[TABLE])
    recovery = cast("LaneTableManager", app.tables).recovery
    assert isinstance(recovery, BulkRecovery)
    for name in ("_take_over", "_open_flow"):
        monkeypatch.setattr(recovery, name, _nothing)
    monkeypatch.setattr(recovery, "_follow", lambda _: None)
    recovery.active_tps = {TP(table.changelog_topic_name, home.partition)}
    at = len(evcharge_worker.changelog(*home)) - 1
    with app.lane.feed.subscribe() as listening:
        # when it is ours already, nothing begins
        await recovery._recover(app.consumer_generation_id)
        assert not listening._missed
        # when it comes from another worker
        app.readable[TABLE].clear()
        await recovery._recover(app.consumer_generation_id)
        async with asyncio.timeout(5):
            assert await anext(aiter(listening)) == Missed(home)
    with (
        app.lane.feed.subscribe({home: at}) as back,
        app.lane.feed.subscribe({home: at - 1}) as late,
    ):
        assert not back._missed
        assert await anext(aiter(late)) == Missed(home)


async def _nothing(*_: object) -> None: ...
