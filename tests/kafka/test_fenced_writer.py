"""One writer of a changelog partition at a time, and all or nothing of what it writes, in real Kafka."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiokafka import ConsumerRecord
from aiokafka.structs import TopicPartition

from evcharge.broker import KafkaCluster
from evcharge.kafka.admin import KafkaAdmin, NewTopic
from evcharge.kafka.batches import MAX_BATCH_BYTES, in_batches
from evcharge.kafka.fenced_log import KafkaLog
from evcharge.kafka.fenced_writer import TELL_EVERY_S, FencedWriter, tell_every_s
from evcharge.kafka.log import Output, Row
from evcharge.kafka.wire import OvertakenError
from tests.read_topic import read_topic

pytestmark = pytest.mark.broker

FENCE: list[Row] = [(b"fence", b"1")]


@dataclass
class Place:
    """A changelog of one partition and a topic for outputs."""

    kafka: KafkaCluster
    changelog: str
    outputs: str

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[FencedWriter]:
        """A worker's writer of the partition; it has its own connections."""
        log = KafkaLog([self.kafka.bootstrap], "test")
        await log.start()
        try:
            yield log.writer(self.changelog, 0)
        finally:
            await log.stop()

    async def rows(self) -> list[tuple[bytes | None, bytes | None]]:
        return [(r.key, r.value) for r in await self._read(self.changelog)]

    async def produced(self) -> list[bytes | None]:
        return [r.value for r in await self._read(self.outputs)]

    async def _read(self, topic: str) -> list[ConsumerRecord]:
        return await read_topic([self.kafka.bootstrap], topic)

    def output(self, value: bytes) -> Output:
        return Output(self.outputs, 0, b"k", value)


@pytest.fixture
async def place(kafka: KafkaCluster) -> Place:
    name = uuid.uuid4().hex[:8]
    place = Place(kafka, f"{name}-changelog", f"{name}-outputs")
    async with KafkaAdmin([kafka.bootstrap]) as admin:
        config = {"max.message.bytes": str(8 << 20)}
        await admin.create([NewTopic(t, 1, 1, config) for t in (place.changelog, place.outputs)])
    return place


async def test_rows_are_appended_behind_the_fence_and_their_last_offset_is_told(
    place: Place,
) -> None:
    async with place.writer() as writer:
        assert await writer.take_over(FENCE) == 0
        assert await writer.write([(b"a", b"1"), (b"b", None)], []) == 2
        assert await writer.write([(b"a", b"2")], []) == 3
    assert await place.rows() == [*FENCE, (b"a", b"1"), (b"b", None), (b"a", b"2")]


async def test_rows_and_outputs_are_written_together_and_more_rows_may_follow_at_once(
    place: Place,
) -> None:
    async with place.writer() as writer:
        await writer.take_over(FENCE)
        for number in range(20):
            value = b"%d" % number
            await writer.write([(b"a", value)], [place.output(value)])
            await writer.write([(b"b", value)], [])
    assert await place.produced() == [b"%d" % n for n in range(20)]
    assert (await place.rows())[-2:] == [(b"a", b"19"), (b"b", b"19")]


async def test_more_rows_than_a_batch_holds_are_still_all_or_nothing(place: Place) -> None:
    rows = [(b"%d" % n, bytes(MAX_BATCH_BYTES // 3)) for n in range(10)]
    async with place.writer() as writer:
        await writer.take_over(FENCE)
        last = await writer.write(rows, [])
        assert (await place.rows())[1:] == rows
        assert last == 10


async def test_a_former_owner_cannot_write_rows_any_more(place: Place) -> None:
    async with place.writer() as former, place.writer() as owner:
        await former.take_over(FENCE)
        await former.write([(b"a", b"1")], [])
        assert await owner.take_over([(b"fence", b"2")]) == 2
        with pytest.raises(OvertakenError, match="taken over by another worker"):
            await former.write([(b"a", b"late")], [])
        await owner.write([(b"a", b"2")], [])
    assert (await place.rows())[1:] == [(b"a", b"1"), (b"fence", b"2"), (b"a", b"2")]


async def test_a_former_owner_cannot_write_outputs_any_more(place: Place) -> None:
    async with place.writer() as former, place.writer() as owner:
        await former.take_over(FENCE)
        await former.write([(b"a", b"1")], [place.output(b"1")])
        await owner.take_over([(b"fence", b"2")])
        with pytest.raises(OvertakenError):
            await former.write([(b"a", b"late")], [place.output(b"late")])
        await owner.write([(b"a", b"2")], [place.output(b"2")])
    assert await place.produced() == [b"1", b"2"]
    assert (b"a", b"late") not in await place.rows()


async def test_a_transaction_that_its_owner_did_not_end_never_happened(place: Place) -> None:
    async with place.writer() as former, place.writer() as owner:
        await former.take_over(FENCE)
        tps = [TopicPartition(topic, 0) for topic in (place.changelog, place.outputs)]
        await former._transactions.begin(tps)
        await former._append_all({tp: [(b"a", b"half", [])] for tp in tps})
        fence = await owner.take_over([(b"fence", b"2")])
        assert fence >= 2
        await owner.write([(b"a", b"2")], [place.output(b"2")])
    assert await place.rows() == [*FENCE, (b"fence", b"2"), (b"a", b"2")]
    assert await place.produced() == [b"2"]


async def test_an_owner_that_nobody_overtook_takes_over_again_and_goes_on(place: Place) -> None:
    async with place.writer() as writer:
        await writer.take_over(FENCE)
        await writer.write([(b"a", b"1")], [place.output(b"1")])
        await writer.take_over([(b"fence", b"2")])
        await writer.write([(b"a", b"2")], [place.output(b"2")])
    assert (await place.rows())[-1] == (b"a", b"2")


async def test_a_worker_that_was_overtaken_may_become_the_owner_again(place: Place) -> None:
    async with place.writer() as first, place.writer() as second:
        await first.take_over(FENCE)
        await second.take_over([(b"fence", b"2")])
        await first.take_over([(b"fence", b"3")])
        await first.write([(b"a", b"1")], [place.output(b"1")])
        with pytest.raises(OvertakenError):
            await second.write([(b"a", b"late")], [])
    assert (await place.rows())[-1] == (b"a", b"1")


async def test_an_owner_whose_append_was_cut_short_takes_over_again(place: Place) -> None:
    async with place.writer() as writer:
        await writer.take_over(FENCE)
        (batch,) = in_batches([(b"a", b"never sent", [])], transactional=False)
        writer._plain.build(TopicPartition(place.changelog, 0), batch)
        await writer.take_over([(b"fence", b"2")])
        await writer.write([(b"a", b"1")], [])
    assert await place.rows() == [*FENCE, (b"fence", b"2"), (b"a", b"1")]


async def test_nothing_can_be_written_before_the_take_over(place: Place) -> None:
    async with place.writer() as writer:
        with pytest.raises(RuntimeError, match="has not taken over"):
            await writer.write([(b"a", b"1")], [])
        with pytest.raises(RuntimeError, match="has not taken over"):
            await writer.write([(b"a", b"1")], [place.output(b"1")])


def test_leaders_hear_of_writers_long_before_they_forget_them_and_not_of_all_at_once() -> None:
    a_day = 86_400
    times = [tell_every_s(f"changelog-{number}") for number in range(1000)]
    assert a_day > 3 * TELL_EVERY_S
    assert all(0.75 * TELL_EVERY_S <= each <= TELL_EVERY_S for each in times)
    ((_, at_once),) = Counter(map(int, times)).most_common(1)
    assert at_once < 10


async def test_many_writers_share_requests_and_each_keeps_its_order(kafka: KafkaCluster) -> None:
    changelog = f"{uuid.uuid4().hex[:8]}-changelog"
    async with KafkaAdmin([kafka.bootstrap]) as admin:
        await admin.create([NewTopic(changelog, 16, 1, {})])
    log = KafkaLog([kafka.bootstrap], "test")
    await log.start()

    async def write(partition: int) -> None:
        writer = log.writer(changelog, partition)
        await writer.take_over(FENCE)
        for number in range(30):
            await writer.write([(b"a", b"%d" % number)], [])

    await asyncio.gather(*map(write, range(16)))
    await log.stop()
    records = await read_topic([kafka.bootstrap], changelog)
    for partition in range(16):
        values = [r.value for r in records if r.partition == partition and r.key == b"a"]
        assert values == [b"%d" % number for number in range(30)]
