"""A transaction whose markers Kafka left out becomes visible to readers all the same, in real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

import pytest
from aiokafka.structs import TopicPartition

from evcharge.kafka.fenced_log import KafkaLog
from evcharge.kafka.inherited_ends import InheritedEnds, Look
from evcharge.kafka.lost_ends import LostEnds
from evcharge.kafka.wire import Wire
from tests.eventually import PATIENCE_S, eventually_async
from tests.kafka.forgetful import FENCE, Place

pytestmark = pytest.mark.broker


async def test_readers_see_a_transaction_without_markers_though_nothing_more_is_written(
    place: Place,
) -> None:
    await place.write_unmarked(b"1")
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
    await place.look()
    await place.look()
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
    await place.look()
    assert place.wire.ended == 1, "its markers may be on their way"


async def test_a_transaction_that_was_cut_short_is_not_taken_for_whole(place: Place) -> None:
    await place.write(b"1")
    await place.write_unmarked(b"2")
    await place.cut_short(*place.everywhere())
    await place.look()
    await place.look()
    assert place.wire.ended == 2


async def test_a_transaction_of_another_writer_that_is_open_is_not_taken_for_a_lost_end(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    # Another worker is killed or frozen in the middle of it.
    frozen = place.writer_of_another_changelog()
    await frozen._transactions.take_over()
    tps = [TopicPartition(place.outputs, 0)]
    await frozen._transactions.begin(tps)
    await frozen._append_all({tp: [(b"k", b"open", [])] for tp in tps})
    await place.write(b"1")

    async def is_marked() -> bool:
        look = await place.inherited.look(place.everywhere())
        return not look.open_of(place.writer.producer_id)

    await eventually_async(is_marked)
    await place.looked()
    assert not place.writer.unseen
    assert (place.wire.ended, caplog.messages) == (1, [])
    await frozen._transactions.end(committed=False)
    assert await place.produced() == [b"1"]


async def test_what_was_committed_while_leaders_were_asked_is_not_ended_again(place: Place) -> None:
    await place.write_unmarked(b"1")
    hidden = dict(place.writer.unseen)
    await place.write(b"2")
    await place.writer.end_again(hidden)
    assert place.wire.ended == 2


def looking() -> LostEnds:
    """What looks after writers, without Kafka."""
    wire = Wire([], "test")
    return LostEnds(wire, InheritedEnds(wire))


class FakeWriter:
    """Has upkeep to do, which takes until it is let go on."""

    producer_id = 1

    def __init__(self) -> None:
        self.unseen: dict[TopicPartition, int] = {}
        self.needs_upkeep = True
        self.begun = 0
        self.go_on = asyncio.Event()
        self.succeeding: asyncio.Task[None] | None = None

    async def end_again(self, hidden: Mapping[TopicPartition, int]) -> None:
        raise AssertionError

    async def upkeep(self) -> None:
        self.begun += 1
        await self.go_on.wait()


async def test_a_writer_that_has_to_wait_does_not_hold_up_others_and_is_not_asked_again() -> None:
    lost_ends = looking()
    stuck, other = FakeWriter(), FakeWriter()
    other.go_on.set()
    lost_ends.watch(stuck)
    lost_ends.watch(other)
    for times in (1, 2):
        done, _ = await asyncio.wait(
            await lost_ends.look(), return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S
        )
        assert len(done) == 1
        assert (stuck.begun, other.begun) == (1, times)
    stuck.go_on.set()
    await asyncio.gather(*await lost_ends.look())
    await asyncio.gather(*await lost_ends.look())
    assert stuck.begun == 2


async def test_who_stops_lets_what_is_under_way_end_and_begins_nothing_new() -> None:
    lost_ends, writer = looking(), FakeWriter()
    lost_ends.watch(writer)
    (care,) = await lost_ends.look()
    writer.succeeding = asyncio.create_task(writer.go_on.wait())  # type: ignore[arg-type]
    finishing = asyncio.create_task(lost_ends.finish())
    await asyncio.wait([finishing], timeout=0.01)
    assert not finishing.done()
    writer.go_on.set()
    async with asyncio.timeout(PATIENCE_S):
        await finishing
    assert care.done()
    assert not care.cancelled()
    assert writer.succeeding.done()
    assert writer.begun == 1


async def test_what_takes_too_long_when_a_worker_stops_is_left_to_the_next_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("evcharge.kafka.lost_ends.FINISH_S", 0.01)
    lost_ends, writer = looking(), FakeWriter()
    lost_ends.watch(writer)
    (care,) = await lost_ends.look()
    async with asyncio.timeout(PATIENCE_S):
        await lost_ends.finish()
    assert care.cancelled()


async def test_a_log_that_is_stopped_ends_the_transaction_that_it_has_begun(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evcharge.kafka.lost_ends.EVERY_S", 0.01)
    log = KafkaLog(place.bootstrap, "test", [place.outputs])
    await log.start()
    owner, begun = log.writer(place.changelog, 0), asyncio.Event()
    await owner.take_over([(b"fence", b"2")])
    producer = owner._transactions
    begin = producer.begin

    async def begin_slowly(tps: Collection[TopicPartition]) -> None:
        await begin(tps)
        begun.set()

    monkeypatch.setattr(producer, "begin", begin_slowly)
    async with asyncio.timeout(PATIENCE_S):
        await begun.wait()
        await log.stop()
    last = await place.inherited.last_transaction(f"{place.changelog}-0")
    assert last.state in {"PrepareCommit", "CompleteCommit"}


@pytest.mark.parametrize(("silent", "left"), [(True, 1), (False, 0)])
async def test_what_was_written_to_a_topic_that_was_deleted_is_forgotten_but_not_what_is_silent(
    monkeypatch: pytest.MonkeyPatch, silent: bool, left: int
) -> None:
    lost_ends, writer = looking(), FakeWriter()
    tp = TopicPartition("outputs", 0)

    async def look(tps: Collection[TopicPartition]) -> Look:
        return Look(silent=frozenset(tps if silent else ()))

    async def nothing() -> None: ...

    monkeypatch.setattr(lost_ends._inherited, "look", look)
    monkeypatch.setattr(lost_ends._wire, "look_again", nothing)
    writer.unseen, writer.needs_upkeep = {tp: 5}, False
    lost_ends.watch(writer)
    assert not [*await lost_ends.look(), *await lost_ends.look()]
    assert len(writer.unseen) == left
