"""What Kafka itself holds, in all its forms, is handed out as aiokafka reads it, in any portions."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faust.types import TP

from evcharge.broker import KafkaCluster
from evcharge.engine.chunk import FirstArrival
from evcharge.engine.intake import Intake
from evcharge.kafka.admin import KafkaAdmin, NewTopic
from evcharge.kafka.lenient_fetch import fetch
from tests.engine.seen_record import seen
from tests.eventually import eventually_async
from tests.odd_batches import GZIP, LZ4, SNAPPY, ZSTD, OddRecord, send_batch

pytestmark = pytest.mark.broker

COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "200",
    "min.cleanable.dirty.ratio": "0",
    "max.compaction.lag.ms": "200",
}
ODD_NAME = [(b"caf\xe9", b"\xff"), (b"plain", None)]


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaCluster]:
    """A broker that compacts at once."""
    with KafkaCluster(port=0, settings={"log.cleaner.backoff.ms": "100"}) as cluster:
        yield cluster


async def new_topic(kafka: KafkaCluster, config: Mapping[str, str]) -> TP:
    name = uuid.uuid4().hex
    async with KafkaAdmin([kafka.bootstrap]) as admin:
        await admin.create([NewTopic(name, 1, 1, dict(config))])
    return TP(name, 0)


@asynccontextmanager
async def producer(kafka: KafkaCluster, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, **settings) as client:
        yield client


@asynccontextmanager
async def consumer(kafka: KafkaCluster, tp: TP, **settings: Any) -> AsyncIterator[Any]:
    """A consumer of one partition, at its begin."""
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        **settings,
    ) as client:
        client.assign([tp])
        client.seek(TopicPartition(*tp), 0)
        yield client


async def end_of(kafka: KafkaCluster, tp: TP) -> int:
    """Return the end of a partition, behind what is undecided for a moment too."""
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap) as client:
        client.assign([tp])
        [end] = (await client.end_offsets([tp])).values()
        return int(end)


async def plainly(kafka: KafkaCluster, tp: TP) -> list[FirstArrival]:
    """Return the records of a partition as aiokafka hands them out."""
    records: list[FirstArrival] = []
    end = await end_of(kafka, tp)
    async with consumer(kafka, tp) as client:
        while await client.position(tp) < end:
            goes_on = records[-1].offset + 1 if records else 0
            fetched = await fetch(client, {TopicPartition(*tp): goes_on}, timeout_ms=100)
            records += [seen(record) for some in fetched.values() for record in some]
    return records


async def taken(client: Any, tp: TP, most: int, end: int, begin: int = 0) -> list[FirstArrival]:
    """Return the records that an intake hands out from an offset on, ``most`` at a time.

    It stops behind ``end``.
    """
    intake = Intake(client)
    client.seek(TopicPartition(*tp), begin)
    records: list[FirstArrival] = []
    while await client.position(tp) < end:
        some = await intake.take(
            lambda _: True,
            lambda _: most,
            1 << 20,
            lambda _: records[-1].offset + 1 if records else begin,
        )
        if some is None:
            await intake.wait(asyncio.get_running_loop().create_future(), 0.1)
        else:
            assert len(some.records) <= most
            records.extend(map(seen, some.records))
    return records


def numbered(first: int, count: int, keys: int = 7) -> list[OddRecord]:
    return [
        OddRecord(
            None if n % 11 == 0 else b"%d" % n,
            [(b"n", b"%d" % n), (b"null", None)] if n % 3 == 0 else [],
            b"k%d" % (n % keys) if n % 5 else b"",
        )
        for n in range(first, first + count)
    ]


async def fill(kafka: KafkaCluster, tp: TP) -> None:
    """Write what is committed, aborted, plain, compressed, and odd, mixed."""
    async with (
        producer(kafka) as device,
        producer(kafka, transactional_id=uuid.uuid4().hex) as one,
        producer(kafka, transactional_id=uuid.uuid4().hex) as two,
    ):
        for turn, codec in enumerate((0, GZIP, SNAPPY, LZ4, ZSTD)):
            first = turn * 1_000
            odd = [OddRecord(b"odd", ODD_NAME, b"odd")]
            await one.begin_transaction()
            await two.begin_transaction()
            await send_batch(one, *tp, numbered(first, 50), codec=codec, transactional=True)
            await send_batch(device, *tp, numbered(first + 100, 300), codec=codec)
            await send_batch(two, *tp, numbered(first + 500, 50), codec=codec, transactional=True)
            mixed = [*numbered(first + 600, 20), *odd * (turn % 2), *numbered(first + 620, 20)]
            await send_batch(two, *tp, mixed, codec=codec, transactional=True)
            await send_batch(device, *tp, mixed, codec=codec)
            await (one.abort_transaction() if turn % 2 else one.commit_transaction())
            await send_batch(device, *tp, numbered(first + 700, 1), codec=codec)
            await (two.commit_transaction() if turn % 2 else two.abort_transaction())


async def test_transactions_codecs_and_odd_names_are_read_as_aiokafka_reads_them(
    kafka: KafkaCluster,
) -> None:
    tp = await new_topic(kafka, {})
    await fill(kafka, tp)
    end, expected = await end_of(kafka, tp), await plainly(kafka, tp)
    # 3 commits of the one, 2 of the other, and 5 times what the device sent.
    assert len(expected) == 3 * 50 + 2 * (50 + 41) + 5 * (300 + 40 + 1) + 2
    for most in (1, 7, 333, 100_000):
        async with consumer(kafka, tp) as client:
            assert await taken(client, tp, most, end) == expected


async def test_small_fetches_end_and_begin_anywhere_in_the_log(kafka: KafkaCluster) -> None:
    tp = await new_topic(kafka, {})
    await fill(kafka, tp)
    end, expected = await end_of(kafka, tp), await plainly(kafka, tp)
    async with consumer(kafka, tp, max_partition_fetch_bytes=2_000) as client:
        for begin in (0, 55, 349, 1_234, 2_000):
            # Somewhere in a batch, another place is wanted.
            behind = [record for record in expected if record.offset >= begin]
            some = await taken(client, tp, 13, begin + 1, begin)
            assert some == behind[: len(some)]
            assert some
        assert await taken(client, tp, 90, end) == expected


async def test_a_compacted_log_is_read_past_all_that_is_gone(kafka: KafkaCluster) -> None:
    tp = await new_topic(kafka, COMPACTED)
    async with producer(kafka) as device:
        for first in range(0, 500, 50):
            codec = GZIP if first % 100 else 0
            records = [r._replace(key=r.key or b"none") for r in numbered(first, 50, keys=60)]
            await send_batch(device, *tp, records, codec=codec)

        async def is_compacted() -> bool:
            # What was written last is never compacted.
            await device.send_and_wait(tp.topic, b"now", b"last", partition=0)
            return len(await plainly(kafka, tp)) < 250

        await eventually_async(is_compacted, what="a compacted log")

    async def is_read_alike() -> bool:
        end, expected = await end_of(kafka, tp), await plainly(kafka, tp)
        async with consumer(kafka, tp) as client:
            wholes = [await taken(client, tp, most, end) for most in (1, 7, 100_000)]
            begins = range(0, expected[-1].offset, 49)
            behind = [await taken(client, tp, 9, end, begin) for begin in begins]
        if await plainly(kafka, tp) != expected:
            return False  # it was compacted further meanwhile
        assert wholes == [expected] * 3
        assert behind == [[r for r in expected if r.offset >= begin] for begin in begins]
        return True

    await eventually_async(is_read_alike, what="a log that is not compacted while it is read")
