"""Records reach the agents in an unbroken row, from where the tables stand, or the worker ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest
from faust.types import TP

from evcharge.engine import consumer as module
from evcharge.engine.chunk import Chunk, FirstArrival
from evcharge.engine.consumer import ChunkConsumer
from evcharge.engine.intake import Intake, Taken
from evcharge.engine.recovery import BulkRecovery, LaneTableManager
from evcharge.settings import Settings
from evcharge.worker import build
from tests.engine.fake_fetches import FakeConsumer
from tests.eventually import PATIENCE_S, eventually_async

A = TP("station-status", 0)
IDLE_S = 0.01


class EndedError(Exception):
    """The process would have ended."""


class FakeDriver:
    """A Kafka with ten records of one partition, and aiokafka's consumer of it."""

    def __init__(self) -> None:
        self.fetches = FakeConsumer()
        self.start = 0
        """The first offset that Kafka still has."""

    def set_to(self, offset: int) -> None:
        """Position the partition, and have fetched what comes there."""
        self.fetches.fetched(A, 10, position=offset)

    def assignment(self) -> set[TP]:
        return {A}

    def intake(self) -> Intake:
        return Intake(self.fetches)

    async def starts(self, _: object) -> dict[TP, int]:
        await asyncio.sleep(0)
        return {A: self.start}

    async def seek_wait(self, positions: dict[Any, int]) -> None:
        # Long enough for a fetch loop that has no gate.
        await asyncio.sleep(5 * IDLE_S)
        [offset] = positions.values()
        self.set_to(offset)


class Scene:
    """A consumer whose fetch loop runs, as at a worker's start: nothing is positioned yet."""

    def __init__(self) -> None:
        self.app = build(Settings(), in_memory=True)
        self.consumer = cast("ChunkConsumer", self.app.consumer)
        self.driver = FakeDriver()
        consumer: Any = self.consumer
        consumer._thread = self.driver
        consumer.callback = self.deliver
        consumer._set_active_tps({A})
        consumer.pause_partitions({A})
        self.delivered: list[int] = []
        fetcher: Any = SimpleNamespace(should_stop=False)
        self.ended = asyncio.create_task(self.consumer._drain_messages(fetcher))

    async def deliver(self, message: Any) -> None:
        chunk: Chunk = message.value
        self.delivered += [record.offset for record in chunk.records]
        self.app.lane.pace.abandon()

    async def open_flow(self, offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Do what a recovery does last, with tables that go on at an offset."""
        recovery = cast("LaneTableManager", self.app.tables).recovery

        async def positions(_: object) -> dict[TP, int]:
            return {A: offset}

        monkeypatch.setattr(recovery, "_positions", positions)
        started = SimpleNamespace(maybe_start=_nothing)
        monkeypatch.setattr(type(self.app), "_fetcher", started)
        assert isinstance(recovery, BulkRecovery)
        await recovery._open_flow()

    async def come(self, *offsets: int) -> None:
        """Wait until these were delivered, and see that nothing else is."""
        await eventually_async(lambda: self.ended.done() or len(self.delivered) >= len(offsets))
        assert self.delivered == [*offsets]


async def _nothing() -> None: ...


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """A scene whose fetch loop ends where the process would."""

    def end(reason: str) -> NoReturn:
        raise EndedError(reason)

    monkeypatch.setattr(module, "fail_stop", end)
    monkeypatch.setattr(module, "IDLE_S", IDLE_S)
    monkeypatch.setattr(module, "POSITIONS_EVERY_S", 0)
    scene = Scene()
    yield scene
    scene.ended.cancel()
    with contextlib.suppress(asyncio.CancelledError, EndedError):
        await scene.ended


async def test_what_was_fetched_before_the_flow_opens_is_neither_delivered_nor_lost(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given records at the committed offset, and tables that are further on
    scene.driver.set_to(0)
    await asyncio.sleep(5 * IDLE_S)
    # when
    await scene.open_flow(4, monkeypatch)
    # then
    await scene.come(*range(4, 10))


async def test_a_chunk_that_a_rebalance_interrupts_comes_again_after_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.open_flow(0, monkeypatch)
    await scene.come(*range(10))
    # given a chunk that was delivered, and dropped with the queues
    scene.consumer.stop_flow()
    scene.consumer.pause_partitions({A})
    scene.delivered.clear()
    # when
    await scene.open_flow(7, monkeypatch)
    # then
    await scene.come(7, 8, 9)


async def test_records_that_kafka_removed_are_told_and_the_rest_is_delivered(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.open_flow(0, monkeypatch)
    await scene.come(*range(10))
    # given that aiokafka was told "out of range", and went to the first record that there is
    scene.driver.start = 13
    scene.driver.fetches.fetched(A, 15, position=13)
    # then
    await scene.come(*range(10), 13, 14)
    assert scene.app.lane.counters.values["records_lost", A.topic] == 3
    assert scene.consumer.next_offset(A) == 15


async def test_records_that_kafka_removed_are_told_also_when_none_is_left(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.open_flow(0, monkeypatch)
    await scene.come(*range(10))
    scene.driver.start = 13
    scene.driver.fetches.states[A].position = 13
    await eventually_async(lambda: scene.consumer.next_offset(A) == 13)
    assert scene.app.lane.counters.values["records_lost", A.topic] == 3


@pytest.mark.parametrize("position", [0, 8, 12], ids=["to the beginning", "backwards", "too far"])
@pytest.mark.parametrize("with_records", [True, False])
async def test_a_position_that_nothing_explains_ends_the_worker(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, position: int, with_records: bool
) -> None:
    await scene.open_flow(0, monkeypatch)
    await scene.come(*range(10))
    # given a Kafka that still has everything from a record between on
    scene.driver.start = 11
    if with_records:
        scene.driver.fetches.fetched(A, 15, position=position)
    else:
        scene.driver.fetches.states[A].position = position
    # then
    with pytest.raises(EndedError, match=rf"went on at offset {position} where 10 was to come"):
        await asyncio.wait_for(scene.ended, PATIENCE_S)
    assert scene.delivered == [*range(10)]
    assert ("records_lost", A.topic) not in scene.app.lane.counters.values


async def test_a_record_before_where_its_fetch_began_ends_the_worker(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.open_flow(4, monkeypatch)
    await scene.come(*range(4, 10))
    again = [FirstArrival(None, b"v", 0, 0, 9)]
    with pytest.raises(EndedError, match="gave the record 9 again"):
        await scene.consumer._deliver(Taken(A, again, 1, begin=10, end=11))


async def test_offsets_without_a_record_are_counted_and_are_no_loss(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.open_flow(0, monkeypatch)
    await scene.come(*range(10))
    await scene.consumer._deliver(Taken(A, [], 0, begin=10, end=12))
    assert scene.consumer.next_offset(A) == 12
    assert scene.app.lane.counters.values == {("offsets_skipped", A.topic): 2}
