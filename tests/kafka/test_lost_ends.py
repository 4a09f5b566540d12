"""A transaction whose markers Kafka left out becomes visible to readers all the same, in real Kafka.

Kafka leaves them out of partitions that have no leader for a moment. That moment cannot be hit at will;
a batch in a partition that its transaction was not told of gets no marker either. This broker lets that
pass.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiokafka.protocol.transaction import AddPartitionsToTxnRequest, EndTxnRequest
from aiokafka.structs import TopicPartition

from evcharge.broker import KafkaCluster
from evcharge.kafka.admin import KafkaAdmin, NewTopic
from evcharge.kafka.appends import Appends
from evcharge.kafka.fenced_writer import FencedWriter
from evcharge.kafka.inherited_ends import ForgottenEndError, InheritedEnds
from evcharge.kafka.log import Output
from evcharge.kafka.lost_ends import LostEnds
from evcharge.kafka.wire import Wire
from tests.eventually import PATIENCE_S
from tests.read_topic import read_topic

pytestmark = pytest.mark.broker

FENCE = [(b"fence", b"1")]


@pytest.fixture(scope="module")
def lax() -> Iterator[KafkaCluster]:
    """A broker that takes batches of a transaction for partitions that were not added to it."""
    settings = {"transaction.partition.verification.enable": "false"}
    with KafkaCluster(port=0, settings=settings) as cluster:
        yield cluster


class ForgetfulWire(Wire):
    """Has Kafka write no markers in a topic."""

    forgotten: str | None = None
    ended = 0

    async def coordinate(self, transactional_id: str, request: Any, codes: Any) -> Any:
        if isinstance(request, AddPartitionsToTxnRequest) and self.forgotten:
            told = [each for each in request._topics if each[0] != self.forgotten]
            request = AddPartitionsToTxnRequest(
                transactional_id, request._producer_id, request._producer_epoch, told
            )
        self.ended += isinstance(request, EndTxnRequest)
        return await super().coordinate(transactional_id, request, codes)


class Place:
    """A writer of a changelog with a topic for outputs, and what looks after it."""

    def __init__(self, kafka: KafkaCluster, name: str) -> None:
        self.changelog, self.outputs = f"{name}-changelog", f"{name}-outputs"
        self.bootstrap = [kafka.bootstrap]
        self.wire = ForgetfulWire(self.bootstrap, "test")
        self.lost_ends = LostEnds(self.wire)
        self.inherited = InheritedEnds(self.wire, [self.outputs])
        self.writer = self.another_writer()
        self.lost_ends.watch(self.writer)

    def another_writer(self) -> FencedWriter:
        place = TopicPartition(self.changelog, 0)
        appends = Appends(self.wire)
        return FencedWriter(self.wire, appends, self.inherited, self.changelog, place)

    async def write(self, value: bytes, *, partition: int = 0) -> None:
        await self.writer.write([(b"a", value)], [Output(self.outputs, partition, b"k", value)])

    async def produced(self) -> list[Any]:
        return [value for _, value in await self.read(self.outputs)]

    async def read(self, topic: str) -> list[Any]:
        """Return keys and values of a topic, once all of its transactions are decided for readers."""
        async with asyncio.timeout(PATIENCE_S):
            found = await read_topic(self.bootstrap, topic)
        return [(record.key, record.value) for record in found]

    async def looked(self) -> None:
        """Look until there is nothing to be seen to, at least twice."""
        async with asyncio.timeout(PATIENCE_S):
            await self.lost_ends.look()
            while self.writer.unseen:
                await self.lost_ends.look()


@pytest.fixture
async def place(lax: KafkaCluster) -> AsyncIterator[Place]:
    place = Place(lax, uuid.uuid4().hex[:8])
    async with KafkaAdmin(place.bootstrap) as admin:
        await admin.create([NewTopic(place.changelog, 1, 1, {}), NewTopic(place.outputs, 2, 1, {})])
    await place.wire.start()
    await place.writer.take_over(FENCE)
    yield place
    await place.wire.stop()


async def test_readers_see_a_transaction_without_markers_though_nothing_more_is_written(
    place: Place,
) -> None:
    place.wire.forgotten = place.outputs
    await place.write(b"1")
    place.wire.forgotten = None
    await place.looked()
    assert await place.produced() == [b"1"]


async def test_rows_without_a_marker_are_seen_too(place: Place) -> None:
    place.wire.forgotten = place.changelog
    await place.write(b"1")
    place.wire.forgotten = None
    await place.looked()
    assert await place.read(place.changelog) == [*FENCE, (b"a", b"1")]


async def test_markers_left_out_again_of_a_partition_that_the_writer_has_left_are_made_up_for(
    place: Place,
) -> None:
    place.wire.forgotten = place.outputs
    await place.write(b"1", partition=0)
    await place.write(b"2", partition=1)
    await place.lost_ends.look()
    await place.lost_ends.look()
    assert set(place.writer.unseen) >= {TopicPartition(place.outputs, n) for n in (0, 1)}
    place.wire.forgotten = None
    await place.looked()
    assert await place.produced() == [b"1", b"2"]


async def test_a_transaction_that_readers_see_is_not_ended_again(place: Place) -> None:
    await place.write(b"1")
    assert await place.produced() == [b"1"]
    assert await place.read(place.changelog) == [*FENCE, (b"a", b"1")]
    await place.looked()
    assert place.wire.ended == 1


async def test_a_look_leaves_what_was_written_just_now_to_kafka(place: Place) -> None:
    place.wire.forgotten = place.outputs
    await place.write(b"1")
    await place.lost_ends.look()
    assert place.wire.ended == 1, "its markers may be on their way"


async def test_a_transaction_that_was_cut_short_is_not_taken_for_whole(place: Place) -> None:
    await place.write(b"1")
    place.wire.forgotten = place.outputs
    await place.write(b"2")
    place.wire.forgotten = None
    cut_short = [TopicPartition(place.changelog, 0), TopicPartition(place.outputs, 0)]
    await place.writer._begin(cut_short)
    await place.lost_ends.look()
    await place.lost_ends.look()
    assert place.wire.ended == 2


@pytest.mark.parametrize("partition", [0, 1])
@pytest.mark.parametrize("hidden", ["outputs", "changelog"])
async def test_a_new_owner_makes_visible_what_a_former_one_committed(
    place: Place, hidden: str, partition: int
) -> None:
    place.wire.forgotten = getattr(place, hidden)
    await place.write(b"1", partition=partition)
    place.wire.forgotten = None
    owner = place.another_writer()
    await owner.take_over([(b"fence", b"2")])
    assert await place.produced() == [b"1"]
    assert await place.read(place.changelog) == [*FENCE, (b"a", b"1"), (b"fence", b"2")]
    # The former one still looks after it.
    await place.looked()


async def test_a_new_owner_aborts_what_a_former_one_did_not_finish_wherever_it_is(
    place: Place,
) -> None:
    await place.write(b"1")
    place.wire.forgotten = place.outputs
    tps = [TopicPartition(place.changelog, 0), TopicPartition(place.outputs, 0)]
    await place.writer._begin(tps)
    await place.writer._append_all({tp: [(b"k", b"cut short", [])] for tp in tps})
    place.wire.forgotten = None
    owner = place.another_writer()
    await owner.take_over([(b"fence", b"2")])
    await owner.write([(b"a", b"2")], [Output(place.outputs, 0, b"k", b"2")])
    assert await place.produced() == [b"1", b"2"]
    assert await place.read(place.changelog) == [
        *FENCE,
        (b"a", b"1"),
        (b"fence", b"2"),
        (b"a", b"2"),
    ]


async def test_who_takes_over_where_nothing_is_left_open_ends_nothing(place: Place) -> None:
    await place.write(b"1")
    await place.another_writer().take_over([(b"fence", b"2")])
    assert place.wire.ended == 1


async def test_changelogs_of_several_topics_are_taken_over_at_once(place: Place) -> None:
    names = [f"{place.changelog}-{number}" for number in range(3)]
    async with KafkaAdmin(place.bootstrap) as admin:
        await admin.create([NewTopic(name, 1, 1, {}) for name in names])
    places = [TopicPartition(name, 0) for name in names]
    appends = Appends(place.wire)
    writers = [FencedWriter(place.wire, appends, place.inherited, tp.topic, tp) for tp in places]
    async with asyncio.timeout(PATIENCE_S):
        assert await asyncio.gather(*(each.take_over(FENCE) for each in writers)) == [0, 0, 0]


async def test_what_another_owner_of_another_changelog_has_open_is_left_alone(place: Place) -> None:
    other = FencedWriter(
        place.wire,
        Appends(place.wire),
        place.inherited,
        f"{place.changelog}-other",
        TopicPartition(place.changelog, 0),
    )
    await other.take_over(FENCE)
    tps = [TopicPartition(place.outputs, 0)]
    await other._begin(tps)
    await other._append_all({tp: [(b"k", b"other", [])] for tp in tps})
    await place.another_writer().take_over([(b"fence", b"2")])
    await other._end()
    assert await place.produced() == [b"other"]


async def test_a_take_over_that_is_cancelled_ends_what_it_found_all_the_same(place: Place) -> None:
    place.wire.forgotten = place.outputs
    await place.write(b"1")
    place.wire.forgotten = None
    found = asyncio.Event()
    owner = place.another_writer()
    open_of = place.inherited.open_of

    async def noted(*of: Any) -> set[TopicPartition]:
        found.set()
        return await open_of(*of)

    place.inherited.open_of = noted  # type: ignore[assignment, method-assign]
    taking_over = asyncio.create_task(owner.take_over([(b"fence", b"2")]))
    await found.wait()
    taking_over.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking_over
    assert await place.produced() == [b"1"]
    await owner.take_over([(b"fence", b"3")])
    assert await place.read(place.changelog) == [*FENCE, (b"a", b"1"), (b"fence", b"3")]


async def test_an_end_that_nobody_knows_any_more_stops_the_worker(place: Place) -> None:
    place.wire.forgotten = place.outputs
    await place.write(b"1")
    place.wire.forgotten = None
    owner = place.another_writer()
    # It dies right behind its take-over.
    await owner._transactions.begin()
    with pytest.raises(ForgottenEndError, match=f"open in {place.outputs}/0, .*find-hanging"):
        await place.another_writer().take_over([(b"fence", b"2")])
