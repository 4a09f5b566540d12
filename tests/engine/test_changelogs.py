"""Which local rows a take-over keeps, beside a changelog in real Kafka."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import NoReturn

import pytest
import pytest_asyncio
from aiokafka.structs import TopicPartition

from evcharge.broker import KafkaCluster
from evcharge.engine.changelogs import Changelogs
from evcharge.engine.local_rows import FENCE, naming_row, touched
from evcharge.kafka.admin import KafkaAdmin, NewTopic
from evcharge.kafka.fenced_log import KafkaLog
from evcharge.kafka.fenced_writer import FencedWriter
from evcharge.kafka.log import Output
from evcharge.storage.partition_store import (
    HISTORY,
    TRUSTED_MS,
    MemoryPartition,
    source_marker,
)
from tests.eventually import eventually_async

pytestmark = pytest.mark.broker

MARKER = source_marker("station-status")


def nothing_fails(reason: str, problem: BaseException) -> NoReturn:
    raise AssertionError(reason) from problem


def nothing(_: TopicPartition) -> None:
    pass


class Worker:
    """A worker of one partition of one table, as far as its changelog goes."""

    def __init__(self, kafka: KafkaCluster, changelog: TopicPartition, outputs: str) -> None:
        self.changelog = changelog
        self.outputs = outputs
        self.log = KafkaLog([kafka.bootstrap], "lane", [outputs])
        self.changelogs = Changelogs([kafka.bootstrap], "tables", nothing_fails)
        self.store = MemoryPartition()
        self.writer: FencedWriter | None = None
        self.dropped = 0

    async def take_over(self) -> None:
        """Take the partition over, which restores what its rows lack."""
        self.writer = self.writer or self.log.writer(*self.changelog)

        def count(_: TopicPartition) -> None:
            self.dropped += 1

        await self.changelogs.take_over(
            {self.changelog: self.store}, {self.changelog: self.writer}, nothing, count
        )

    async def write(self, *, in_transaction: bool = False, **rows: str | None) -> None:
        """Do what a pipeline does with a step."""
        assert self.writer is not None
        written: dict[bytes, bytes | None] = {MARKER: b"m"}
        for key, value in rows.items():
            written[key.encode()] = None if value is None else value.encode()
        outputs = [Output(self.outputs, 0, b"k", b"v")] if in_transaction else []
        offset = await self.writer.write(written.items(), outputs)
        self.store.write(written, offset)
        # Kafka writes the marker that ends a transaction behind its answer.
        await eventually_async(partial(self._is_visible, offset), what="the end of the transaction")

    async def _is_visible(self, offset: int) -> bool:
        _, ends = await self.changelogs._reader.bounds([self.changelog])
        return ends[self.changelog] > offset

    def restart(self) -> None:
        """Be a new process over the same rows."""
        self.writer = None
        self.changelogs.forget([self.changelog])

    def stay_away(self) -> None:
        """Let so much time pass that compaction may have forgotten deletions."""
        offset = self.store.changelog_offset()
        assert offset is not None
        self.store.write(touched(time.time_ns() // 1_000_000 - TRUSTED_MS), offset)

    def rows(self) -> dict[bytes, bytes]:
        return dict(self.store.scan(b"S"))


@pytest_asyncio.fixture
async def workers(kafka: KafkaCluster) -> AsyncIterator[tuple[Worker, Worker]]:
    """Two workers of one deployment; the first has the partition, and wrote a row."""
    name = uuid.uuid4().hex
    async with KafkaAdmin([kafka.bootstrap]) as admin:
        await admin.create(
            [NewTopic(f"{name}-{each}", 1, 1, {}) for each in ("changelog", "outputs")]
        )
    changelog = TopicPartition(f"{name}-changelog", 0)
    one, other = (Worker(kafka, changelog, f"{name}-outputs") for _ in range(2))
    async with AsyncExitStack() as stack:
        for worker in (one, other):
            await worker.log.start()
            stack.push_async_callback(worker.log.stop)
            await worker.changelogs.start()
            stack.push_async_callback(worker.changelogs.stop)
        await one.take_over()
        await one.write(Sa="1")
        yield one, other


@pytest.mark.parametrize("in_transaction", [False, True], ids=["a batch", "a transaction"])
@pytest.mark.parametrize("is_live", [True, False], ids=["a rebalance", "a restart"])
async def test_rows_that_lack_nothing_are_kept_after_a_quiet_night(
    workers: tuple[Worker, Worker], in_transaction: bool, is_live: bool
) -> None:
    one, _ = workers
    await one.write(in_transaction=in_transaction, Sb="1")
    one.stay_away()
    if not is_live:
        one.restart()
    await one.take_over()
    assert one.dropped == 0
    assert one.rows() == {b"Sa": b"1", b"Sb": b"1"}
    assert one.store.get(FENCE) is not None


async def test_rows_that_lack_only_fences_are_kept_however_many_they_are(
    workers: tuple[Worker, Worker],
) -> None:
    one, other = workers
    await one.write(in_transaction=True, Sb="1")
    one.stay_away()
    # given workers that came and went without a word
    for _ in range(3):
        await other.take_over()
        other.restart()
    one.restart()
    await one.take_over()
    assert one.dropped == 0
    assert one.rows() == {b"Sa": b"1", b"Sb": b"1"}


async def test_rows_that_lack_what_was_written_meanwhile_are_restored_after_such_a_night(
    workers: tuple[Worker, Worker],
) -> None:
    one, other = workers
    await other.take_over()
    # when what is deleted may be forgotten by now
    await other.write(Sa=None, Sc="1")
    await other.take_over()
    one.stay_away()
    one.restart()
    await one.take_over()
    assert one.dropped == 1
    assert one.rows() == {b"Sc": b"1"}
    assert one.store.get(HISTORY) == other.store.get(HISTORY)


async def test_rows_that_were_away_for_less_only_get_what_they_lack(
    workers: tuple[Worker, Worker],
) -> None:
    one, other = workers
    await other.take_over()
    await other.write(Sa=None, Sc="1")
    one.store.write(touched(time.time_ns() // 1_000_000), one.store.changelog_offset() or 0)
    one.restart()
    await one.take_over()
    assert one.dropped == 0
    assert one.rows() == {b"Sc": b"1"}


async def test_the_first_name_of_a_changelog_counts_where_two_workers_found_it_empty(
    workers: tuple[Worker, Worker],
) -> None:
    one, other = workers
    other.writer = other.log.writer(*other.changelog)
    second = naming_row(b"other")
    await other.writer.take_over([second])
    await other.take_over()
    one.restart()
    await one.take_over()
    name = one.store.get(HISTORY)
    assert name is not None
    assert HISTORY + name != second[0], "compaction would take one for the newer value of the other"
    assert other.store.get(HISTORY) == name
    assert (one.dropped, other.dropped) == (0, 0)
