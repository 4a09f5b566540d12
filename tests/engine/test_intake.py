"""Which of the records that were fetched are handed out next, and when Kafka gathers them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchError
from aiokafka.errors import ConsumerStoppedError, TopicAuthorizationFailedError
from faust.types import TP

from evcharge.engine import intake as module
from evcharge.engine.intake import (
    BACKLOG_WAIT_MS,
    GATHER_BYTES,
    PATIENT_WAIT_MS,
    Intake,
    Taken,
)
from tests.engine.fake_fetches import FakeConsumer

A, B, C = TP("t", 0), TP("t", 1), TP("u", 0)


async def take(
    intake: Intake, wanted: set[TP] | None = None, records: int = 1_000, size: int = 1 << 30
) -> Taken | None:
    return await intake.take(
        lambda tp: wanted is None or tp in wanted, lambda _topic: records, size, lambda _tp: None
    )


async def turns(intake: Intake, **limits: Any) -> list[tuple[TP, int]]:
    """Take until nothing is left; return partitions and numbers of records."""
    seen = []
    while (taken := await take(intake, **limits)) is not None:
        seen.append((taken.tp, len(taken.records)))
    return seen


async def test_partitions_take_turns_whatever_waits_in_one_of_them() -> None:
    intake = Intake(FakeConsumer().fetched(A, 500).fetched(B, 5).fetched(C, 250))
    assert await turns(intake, records=100) == [
        *((A, 100), (B, 5), (C, 100)),
        *((A, 100), (C, 100)),
        *((A, 100), (C, 50)),
        *((A, 100), (A, 100)),
    ]


async def test_records_come_in_their_order_without_a_gap() -> None:
    intake = Intake(FakeConsumer().fetched(A, 1_000).fetched(B, 10))
    offsets = []
    while (taken := await take(intake, records=333)) is not None:
        offsets += [record.offset for record in taken.records if taken.tp == A]
    assert offsets == list(range(1_000))


async def test_a_chunk_ends_soon_after_its_bytes() -> None:
    intake = Intake(FakeConsumer().fetched(A, 1_000, value=b"x" * 10_000))
    taken = await take(intake, size=1_000_000)
    assert taken is not None
    assert len(taken.records) == module.SLICE_RECORDS
    assert taken.bytes == module.SLICE_RECORDS * (10_000 + module.RECORD_BYTES)


async def test_a_partition_that_is_not_wanted_keeps_what_it_has() -> None:
    consumer = FakeConsumer().fetched(A, 5).fetched(B, 5)
    intake = Intake(consumer)
    assert await turns(intake, wanted={B}) == [(B, 5)]
    assert await turns(intake) == [(A, 5)]
    assert consumer.notified == 2, "aiokafka may fetch both again"


async def test_a_broker_is_asked_again_when_nothing_of_its_last_answer_waits_for_room() -> None:
    consumer = FakeConsumer()
    for tp, leader in ((A, 1), (B, 1), (C, 2)):
        consumer.fetched(tp, 5, leader=leader, backoff_s=60)
    intake = Intake(consumer)
    await turns(intake, wanted={A})
    assert consumer.notified == 0, "some of B waits, at the same broker"
    await turns(intake, wanted={C})
    assert consumer.notified == 1
    await turns(intake)
    assert consumer.notified == 2


async def test_kafka_holds_no_request_back_for_long_while_records_wait_to_be_handed_out() -> None:
    consumer = FakeConsumer().fetched(A, 5).fetched(B, 200)
    intake, fetcher = Intake(consumer), consumer._fetcher
    await take(intake)
    assert (fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms) == (1, BACKLOG_WAIT_MS)
    await take(intake, records=100)
    assert fetcher._fetch_max_wait_ms == BACKLOG_WAIT_MS, "half of B is left"
    await take(intake)
    assert fetcher._fetch_max_wait_ms == PATIENT_WAIT_MS
    consumer.fetched(A, 5)
    assert await take(intake, wanted=set()) is None
    assert fetcher._fetch_max_wait_ms == BACKLOG_WAIT_MS, "it waits for room"


async def test_nothing_is_handed_out_in_a_rebalance_or_after_the_end() -> None:
    consumer = FakeConsumer().fetched(A, 5)
    intake = Intake(consumer)
    consumer._fetcher._subscriptions.reassignment_in_progress = True
    assert await take(intake) is None
    consumer._fetcher._closed = True
    with pytest.raises(ConsumerStoppedError):
        await take(intake)


async def test_records_of_an_assignment_that_is_over_are_dropped() -> None:
    consumer = FakeConsumer().fetched(A, 5)
    consumer.assignment.active = False
    assert await take(Intake(consumer)) is None
    assert not consumer._fetcher._records


async def test_an_error_of_a_partition_is_raised_once() -> None:
    consumer = FakeConsumer()
    error = FetchError(error=TopicAuthorizationFailedError("t"), backoff=0)
    consumer._fetcher._records[A] = error
    intake = Intake(consumer)
    with pytest.raises(TopicAuthorizationFailedError):
        await take(intake)
    assert await take(intake) is None


async def test_waiting_ends_with_a_fetch_with_a_wish_or_after_a_while() -> None:
    consumer = FakeConsumer()
    intake = Intake(consumer)
    wish: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    assert not await intake.wait(wish, 0.001)

    waiting = asyncio.create_task(intake.wait(wish, 60))
    await asyncio.sleep(0)
    assert consumer.waiter is not None
    consumer.waiter.set_result(None)
    assert await waiting

    wish.set_result(None)
    assert not await intake.wait(wish, 60)


async def test_what_the_coordinator_refuses_is_raised_to_who_waits() -> None:
    consumer = FakeConsumer()
    wish: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(Intake(consumer).wait(wish, 60))
    await asyncio.sleep(0)
    assert consumer.waiter is not None
    consumer.waiter.set_exception(TopicAuthorizationFailedError("t"))
    with pytest.raises(TopicAuthorizationFailedError):
        await waiting


async def test_kafka_gathers_records_while_they_would_wake_us_too_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    consumer = FakeConsumer()
    intake = Intake(consumer)
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)

    async def woken(per_second: int, for_s: float = 1.0) -> int:
        """Wake so often, return how many bytes Kafka waits for."""
        for _ in range(int(per_second * for_s)):
            waiting = asyncio.create_task(intake.wait(done, 60))
            await asyncio.sleep(0)
            assert consumer.waiter is not None
            consumer.waiter.set_result(None)
            now[0] += 1 / per_second
            assert await waiting
        least: int = consumer._fetcher._fetch_min_bytes
        return least

    assert await woken(100) == 1
    assert await woken(1_000) == GATHER_BYTES
    # Gathering makes the wakings fewer: that alone must not end it.
    assert await woken(100) == GATHER_BYTES
    assert await woken(20) == 1
