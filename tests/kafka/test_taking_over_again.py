"""What a writer knows of its predecessor outlives take-overs that are cancelled, in real Kafka."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import UnknownError

from evcharge.kafka.fenced_writer import FencedWriter
from evcharge.kafka.log import Output
from evcharge.kafka.producer import CutShortError
from tests.eventually import PATIENCE_S
from tests.kafka.forgetful import FENCE, Place

pytestmark = pytest.mark.broker

SECOND, THIRD = [(b"fence", b"2")], [(b"fence", b"3")]


async def cancelled_behind_its_succession(owner: FencedWriter) -> None:
    """Have a rebalance cancel a take-over before the second of the two ids is taken over."""
    reached = asyncio.Event()
    take_over = owner._plain.take_over

    async def hang(while_ending: Any = None) -> None:
        reached.set()
        await asyncio.Event().wait()

    owner._plain.take_over = hang  # type: ignore[method-assign]
    taking_over = asyncio.create_task(owner.take_over(SECOND))
    async with asyncio.timeout(PATIENCE_S):
        await reached.wait()
    taking_over.cancel()
    await asyncio.wait([taking_over])
    owner._plain.take_over = take_over  # type: ignore[method-assign]


async def test_a_writer_that_takes_over_again_still_knows_how_its_predecessor_ended(
    place: Place,
) -> None:
    owner = await place.heir(partition=1)
    await cancelled_behind_its_succession(owner)
    assert (await place.last_transaction()).state == "Empty"
    # It does not wait for others than its changelog either.
    async with asyncio.timeout(PATIENCE_S):
        await owner.take_over(THIRD)
    place.wire.leaderless.clear()
    await place.kept_up(owner)
    assert await place.produced() == [b"1"]


async def test_a_writer_whose_fence_was_cancelled_has_kafka_know_how_the_last_one_ended_all_the_same(
    place: Place,
) -> None:
    owner, reached = place.another_writer(), asyncio.Event()
    append = owner._append

    async def hang(records: Any) -> int:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    owner._append = hang  # type: ignore[method-assign]
    taking_over = asyncio.create_task(owner.take_over(SECOND))
    async with asyncio.timeout(PATIENCE_S):
        await reached.wait()
    taking_over.cancel()
    await asyncio.wait([taking_over])
    assert not owner.needs_upkeep
    owner._append = append  # type: ignore[method-assign]
    await owner.take_over(THIRD)
    await place.kept_up(owner)
    assert (await place.last_transaction()).state in {"PrepareCommit", "CompleteCommit"}


async def test_a_writer_that_was_overtaken_meanwhile_asks_kafka_anew(place: Place) -> None:
    owner = place.another_writer()
    await cancelled_behind_its_succession(owner)
    place.writer = place.another_writer()
    await place.writer.take_over(FENCE)
    await place.write_unmarked(b"1")
    await owner.take_over(THIRD)
    assert await place.produced() == [b"1"]


async def test_what_a_writer_has_cut_short_itself_is_aborted_when_it_takes_over_again(
    place: Place,
) -> None:
    await place.write(b"1")
    await place.cut_short(*place.everywhere())
    await place.writer.take_over(SECOND)
    await place.writer.write([(b"a", b"2")], [Output(place.outputs, 0, b"k", b"2")])
    assert await place.produced() == [b"1", b"2"]
    assert await place.read(place.changelog) == [*FENCE, (b"a", b"1"), *SECOND, (b"a", b"2")]


async def test_behind_an_end_that_kafka_refused_a_writer_makes_no_transaction_until_it_takes_over(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*, committed: bool = True) -> None:
        raise UnknownError

    owner = await place.heir()
    await owner.take_over(SECOND)
    place.wire.leaderless.clear()
    monkeypatch.setattr(owner._transactions, "end", refuse)
    with pytest.raises(UnknownError):
        await owner.upkeep()
    monkeypatch.undo()
    assert not owner.needs_upkeep
    with pytest.raises(CutShortError, match=r"was cut short, .* begin anew"):
        await owner.write([(b"a", b"2")], [Output(place.outputs, 1, b"k", b"2")])
    await owner.write([(b"b", b"1")], [])
    await owner.take_over(THIRD)
    await owner.write([(b"a", b"3")], [Output(place.outputs, 1, b"k", b"3")])
    assert await place.read(place.changelog) == [
        *(*FENCE, (b"a", b"1"), *SECOND, (b"b", b"1"), *THIRD, (b"a", b"3"))
    ]


async def test_outputs_go_on_in_other_partitions_while_the_leader_of_one_that_is_owed_hangs(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await place.heir()
    await owner.take_over(SECOND)
    place.wire.leaderless.clear()
    look, hangs, go_on = place.inherited.look, asyncio.Event(), asyncio.Event()

    async def hang(tps: Any) -> Any:
        seen = await look(tps)
        hangs.set()
        await go_on.wait()
        return seen

    monkeypatch.setattr(place.inherited, "look", hang)
    upkeep = asyncio.create_task(owner.upkeep())
    async with asyncio.timeout(PATIENCE_S):
        await hangs.wait()
        monkeypatch.undo()
        await owner.write([(b"a", b"2")], [Output(place.outputs, 1, b"k", b"2")])
        # This one looks itself, and ends what is in its way.
        await owner.write([(b"a", b"3")], [Output(place.outputs, 0, b"k", b"3")])
        ended = place.wire.ended
        go_on.set()
        await upkeep
    # What was seen before that does not count any more.
    assert (place.wire.ended, owner.needs_upkeep) == (ended, False)
    assert sorted(await place.produced()) == [b"1", b"2", b"3"]


async def test_no_id_is_taken_over_in_the_middle_of_a_transaction_of_its_own(place: Place) -> None:
    owner = place.another_writer()
    take_over = owner._plain.take_over

    async def locked(while_ending: Any = None) -> None:
        assert owner._transacting.locked()
        await take_over()

    owner._plain.take_over = locked  # type: ignore[method-assign]
    assert await owner.take_over(SECOND) == 1
