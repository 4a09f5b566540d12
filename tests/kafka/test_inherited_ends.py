"""What a writer has left open when it ended is ended by its successor as it was meant, in real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka.structs import TopicPartition

from evcharge.kafka.admin import KafkaAdmin, NewTopic
from evcharge.kafka.appends import Appends
from evcharge.kafka.fenced_writer import FencedWriter
from evcharge.kafka.last_transaction import ForgottenEndError
from evcharge.kafka.log import Output
from tests.eventually import PATIENCE_S, eventually_async
from tests.kafka.forgetful import FENCE, Place

pytestmark = pytest.mark.broker

SECOND, THIRD = [(b"fence", b"2")], [(b"fence", b"3")]


def first_before(method: Callable[..., Awaitable[Any]], first: Callable[[], Awaitable[Any]]) -> Any:
    """Return a method before which something else happens."""

    async def both(*arguments: Any) -> Any:
        await first()
        return await method(*arguments)

    return both


# -- how it was meant


@pytest.mark.parametrize("partition", [0, 1])
@pytest.mark.parametrize("hidden", ["outputs", "changelog"])
async def test_a_new_owner_makes_visible_what_a_former_one_committed(
    place: Place, hidden: str, partition: int
) -> None:
    place.wire.forgotten = getattr(place, hidden)
    await place.write(b"1", partition=partition)
    place.wire.forgotten = None
    owner = place.another_writer()
    await owner.take_over(SECOND)
    assert await place.produced() == [b"1"]
    assert await place.read(place.changelog) == [*FENCE, (b"a", b"1"), *SECOND]
    # The former one still looks after it.
    await place.looked()


async def test_a_new_owner_aborts_what_a_former_one_did_not_finish_wherever_it_is(
    place: Place,
) -> None:
    await place.write(b"1")
    await place.cut_short(*place.everywhere(), unmarked=place.outputs)
    owner = place.another_writer()
    await owner.take_over(SECOND)
    await owner.write([(b"a", b"2")], [Output(place.outputs, 0, b"k", b"2")])
    assert await place.produced() == [b"1", b"2"]
    assert await place.read(place.changelog) == [*FENCE, (b"a", b"1"), *SECOND, (b"a", b"2")]


async def test_what_was_committed_before_a_transaction_that_was_cut_short_is_not_aborted_with_it(
    place: Place,
) -> None:
    await place.write_unmarked(b"1", partition=1)
    await place.write(b"2", partition=0)
    await place.cut_short(*place.everywhere(0))
    await place.another_writer().take_over(SECOND)
    assert sorted(await place.produced()) == [b"1", b"2"]


async def test_what_was_cut_short_is_aborted_before_what_was_committed_is_made_visible(
    place: Place,
) -> None:
    await place.write_unmarked(b"1", partition=1)
    await place.cut_short(*place.everywhere(0), unmarked=place.outputs)
    owner = place.another_writer()
    await owner.take_over(SECOND)
    assert (await place.last_transaction()).state in {"PrepareAbort", "CompleteAbort"}
    await place.kept_up(owner)
    assert await place.produced() == [b"1"]


async def test_what_kafka_gave_up_is_aborted_where_it_is_still_open(place: Place) -> None:
    await place.cut_short(*place.everywhere(), unmarked=place.outputs)
    await place.writer._transactions.end(committed=False)
    owner = place.another_writer()
    await owner.take_over(SECOND)
    await owner.write([(b"a", b"2")], [Output(place.outputs, 0, b"k", b"2")])
    assert await place.produced() == [b"2"]


async def test_what_is_older_than_a_transaction_that_kafka_gave_up_is_for_a_person_to_decide(
    place: Place,
) -> None:
    await place.write_unmarked(b"1")
    await asyncio.sleep(0.002)  # Times are in milliseconds.
    await place.cut_short(place.everywhere()[0])
    await place.writer._transactions.end(committed=False)
    with pytest.raises(ForgottenEndError, match=f"open in {place.outputs}/0, .*find-hanging"):
        await place.another_writer().take_over(SECOND)


async def test_who_takes_over_where_nothing_is_left_open_ends_nothing(place: Place) -> None:
    await place.write(b"1")
    await place.another_writer().take_over(SECOND)
    assert place.wire.ended == 1


async def test_what_another_owner_of_another_changelog_has_open_is_left_alone(place: Place) -> None:
    name = f"{place.changelog}-other"
    async with KafkaAdmin(place.bootstrap) as admin:
        await admin.create([NewTopic(name, 1, 1, {})])
    other = place.writer_of_another_changelog()
    await other.take_over(FENCE)
    tps = [TopicPartition(place.outputs, 0)]
    await other._transactions.begin(tps)
    await other._append_all({tp: [(b"k", b"other", [])] for tp in tps})
    await place.another_writer().take_over(SECOND)
    await other._transactions.end()
    assert await place.produced() == [b"other"]


async def test_changelogs_of_several_topics_are_taken_over_at_once(place: Place) -> None:
    names = [f"{place.changelog}-{number}" for number in range(3)]
    async with KafkaAdmin(place.bootstrap) as admin:
        await admin.create([NewTopic(name, 1, 1, {}) for name in names])
    places = [TopicPartition(name, 0) for name in names]
    appends = Appends(place.wire)
    writers = [FencedWriter(place.wire, appends, place.inherited, tp.topic, tp) for tp in places]
    async with asyncio.timeout(PATIENCE_S):
        assert await asyncio.gather(*(each.take_over(FENCE) for each in writers)) == [0, 0, 0]


# -- markers that are lost again, partitions without a leader


async def test_an_end_that_is_lost_once_more_is_made_up_for_later(place: Place) -> None:
    await place.write_unmarked(b"1")
    owner = place.another_writer()
    place.wire.forgotten = place.outputs
    await owner.take_over(SECOND)
    place.wire.forgotten = None
    await place.kept_up(owner)
    assert await place.produced() == [b"1"]


async def test_outputs_without_a_leader_hold_up_no_take_over_and_are_ended_once_they_have_one(
    place: Place,
) -> None:
    owner = await place.heir(partition=1)
    await owner.take_over(SECOND)
    await owner.write([(b"a", b"2")], [Output(place.outputs, 0, b"k", b"2")])
    await owner.upkeep()
    assert owner.needs_upkeep
    place.wire.leaderless.clear()
    await place.kept_up(owner)
    assert sorted(await place.produced()) == [b"1", b"2"]


async def test_nothing_is_committed_before_what_was_cut_short_is_known_to_be_aborted(
    place: Place,
) -> None:
    await place.cut_short(*place.everywhere(1), unmarked=place.outputs)
    place.wire.leaderless = {TopicPartition(place.outputs, 1)}
    owner = place.another_writer()
    await owner.take_over(SECOND)
    writing = asyncio.create_task(
        owner.write([(b"a", b"2")], [Output(place.outputs, 0, b"k", b"2")])
    )
    # Rows alone decide about nothing.
    await owner.write([(b"b", b"1")], [])
    assert not writing.done()
    place.wire.leaderless.clear()
    async with asyncio.timeout(PATIENCE_S):
        await writing
    assert await place.produced() == [b"2"]


async def test_a_take_over_waits_for_its_own_changelog_and_leaves_all_as_it_was_so_long(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evcharge.kafka.inherited_ends.SILENCE_S", 0.0)
    await place.write_unmarked(b"1")
    place.wire.leaderless = {TopicPartition(place.changelog, 0)}
    waiting = asyncio.create_task(place.another_writer().take_over(SECOND))
    look, looks = place.inherited.look, 0

    async def counted(tps: Any) -> Any:
        nonlocal looks
        looks += 1
        return await look(tps)

    place.inherited.look = counted  # type: ignore[method-assign]
    await eventually_async(lambda: looks > 2)
    assert (await place.last_transaction()).state == "CompleteCommit"
    waiting.cancel()
    await asyncio.wait([waiting])
    place.wire.leaderless.clear()
    await place.another_writer().take_over(THIRD)
    assert await place.produced() == [b"1"]
    assert await place.read(place.changelog) == [*FENCE, (b"a", b"1"), *THIRD]


# -- who is stopped in the middle of it


async def test_a_take_over_that_is_cancelled_ends_what_it_found_all_the_same(place: Place) -> None:
    await place.write_unmarked(b"1")
    owner, begun = place.another_writer(), asyncio.Event()

    async def note() -> None:
        begun.set()

    producer = owner._transactions
    producer.take_over = first_before(producer.take_over, note)  # type: ignore[method-assign]
    taking_over = asyncio.create_task(owner.take_over(SECOND))
    await begun.wait()
    taking_over.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking_over
    assert await place.produced() == [b"1"]
    await owner.take_over(THIRD)
    assert await place.read(place.changelog) == [*FENCE, (b"a", b"1"), *THIRD]


async def test_an_end_that_nobody_knows_any_more_stops_the_worker(place: Place) -> None:
    await place.write_unmarked(b"1")
    # Its successor dies right behind its take-over.
    await place.another_writer()._transactions.take_over()
    with pytest.raises(ForgottenEndError, match=f"open in {place.outputs}/0, .*find-hanging"):
        await place.another_writer().take_over(SECOND)


async def test_after_an_owner_that_died_in_its_take_over_all_partitions_have_to_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evcharge.kafka.inherited_ends.SILENCE_S", 0.0)
    await place.another_writer()._transactions.take_over()
    place.wire.leaderless = {TopicPartition(place.outputs, 1)}
    waiting = asyncio.create_task(place.another_writer().take_over(SECOND))
    before = place.inherited._begun
    await eventually_async(lambda: place.inherited._begun > before + 2)
    assert not waiting.done()
    place.wire.leaderless.clear()
    async with asyncio.timeout(PATIENCE_S):
        await waiting


async def test_the_first_upkeep_has_kafka_know_again_how_the_last_transaction_ended(
    place: Place,
) -> None:
    owner = place.another_writer()
    await owner.take_over(SECOND)
    assert (await place.last_transaction()).state == "Empty"
    await place.kept_up(owner)
    assert (await place.last_transaction()).state in {"PrepareCommit", "CompleteCommit"}
    await owner.write([(b"a", b"1")], [])
    assert await place.read(place.changelog) == [*FENCE, *SECOND, (b"a", b"1")]


async def test_nothing_comes_before_the_fence_of_an_empty_changelog(place: Place) -> None:
    name = f"{place.changelog}-empty"
    async with KafkaAdmin(place.bootstrap) as admin:
        await admin.create([NewTopic(name, 1, 1, {})])
    tp = TopicPartition(name, 0)
    owner = FencedWriter(place.wire, Appends(place.wire), place.inherited, name, tp)

    async def look() -> None:
        assert owner._plain.identity is not None
        assert not owner.needs_upkeep

    owner._append = first_before(owner._append, look)  # type: ignore[method-assign]
    assert await owner.take_over(FENCE) == 0
    assert owner.needs_upkeep


async def test_a_producer_that_has_nothing_to_write_is_made_known_to_kafka_now_and_then(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.write(b"1")
    assert not place.writer.needs_upkeep
    monkeypatch.setattr("evcharge.kafka.fenced_writer.TELL_EVERY_S", 0.0)
    rows = [(b"b", b"%d" % number) for number in range(20)]

    async def go_on() -> None:
        for row in rows:
            await place.writer.write([row], [])

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(place.writer.upkeep(), go_on())
    monkeypatch.undo()
    assert not place.writer.needs_upkeep
    assert place.wire.ended == 3
    plain = await place.inherited.last_transaction(f"{place.changelog}-rows")
    assert plain.state in {"PrepareCommit", "CompleteCommit"}
    await place.write(b"2")
    assert await place.produced() == [b"1", b"2"]
    assert await place.read(place.changelog) == [*FENCE, (b"a", b"1"), *rows, (b"a", b"2")]


async def test_an_upkeep_leaves_everything_to_another_owner(place: Place) -> None:
    await place.write_unmarked(b"1")
    await place.another_writer().take_over(SECOND)
    place.writer._transactions.told_at = float("-inf")
    await place.writer.upkeep()
    assert not place.writer.needs_upkeep
    assert not place.writer.unseen


# -- others that are alive


async def test_what_another_new_owner_ends_during_the_look_is_not_taken_for_open(
    place: Place,
) -> None:
    async def overtake() -> None:
        await place.another_writer().take_over(SECOND)

    await place.cut_short(*place.everywhere())
    owner = place.another_writer()
    succession = owner._succession
    succession.take_over = first_before(succession.take_over, overtake)  # type: ignore[method-assign]
    await owner.take_over(THIRD)
    assert await place.produced() == []
    assert await place.read(place.changelog) == [*FENCE, *SECOND, *THIRD]


async def test_what_a_former_owner_ends_at_the_last_moment_is_not_taken_for_aborted(
    place: Place,
) -> None:
    async def end() -> None:
        await place.writer._transactions.end()
        await eventually_async(is_over)

    async def is_over() -> bool:
        return (await place.last_transaction()).state == "CompleteCommit"

    await place.cut_short(*place.everywhere(), unmarked=place.outputs)
    owner = place.another_writer()
    producer = owner._transactions
    producer.take_over = first_before(producer.take_over, end)  # type: ignore[method-assign]
    with pytest.raises(ForgottenEndError, match=f"open in {place.outputs}/0"):
        await owner.take_over(SECOND)


async def test_what_a_former_owner_begins_at_the_last_moment_is_aborted(place: Place) -> None:
    async def go_on() -> None:
        await place.cut_short(*place.everywhere(1), unmarked=place.outputs)

    await place.write(b"1")
    owner = place.another_writer()
    producer = owner._transactions
    producer.take_over = first_before(producer.take_over, go_on)  # type: ignore[method-assign]
    await owner.take_over(SECOND)
    await owner.write([(b"a", b"2")], [Output(place.outputs, 1, b"k", b"2")])
    assert sorted(await place.produced()) == [b"1", b"2"]
