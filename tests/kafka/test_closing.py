"""A consumer is stopped within a bound in time, and nothing of that is taken for a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from evcharge.kafka import closing
from evcharge.kafka.closing import close, started


class FakeConsumer:
    """aiokafka's consumer, as it can behave."""

    def __init__(self, stop: Callable[[], Awaitable[None]]) -> None:
        self.stop = stop
        self.closed = False
        self._client = SimpleNamespace(close=self._close)

    async def start(self) -> None:
        pass

    async def _close(self) -> None:
        self.closed = True


def consumer(stop: Callable[[], Awaitable[None]]) -> Any:
    return FakeConsumer(stop)


async def stops() -> None:
    pass


async def is_cancelled_from_within() -> None:
    raise asyncio.CancelledError


async def fails() -> None:
    raise KafkaConnectionError("no broker")


async def never_stops() -> None:
    await asyncio.Event().wait()


async def swallows_its_cancellation() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    "stop", [is_cancelled_from_within, fails, never_stops, swallows_its_cancellation]
)
async def test_a_consumer_that_does_not_stop_is_left_with_its_connections_closed(
    stop: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "PATIENCE_S", 0.01)
    odd = consumer(stop)
    async with asyncio.timeout(5):
        await close(odd)
    assert odd.closed


async def test_one_that_stops_has_closed_them_itself() -> None:
    usual = consumer(stops)
    await close(usual)
    assert not usual.closed


async def test_a_cancellation_of_the_caller_is_passed_on() -> None:
    begun = asyncio.Event()

    async def waits() -> None:
        begun.set()
        await asyncio.Event().wait()

    closes = asyncio.create_task(close(consumer(waits)))
    await begun.wait()
    closes.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closes


async def test_what_ended_the_reading_is_told_also_if_the_consumer_does_not_stop() -> None:
    with pytest.raises(ZeroDivisionError):
        async with started(consumer(is_cancelled_from_within)):
            raise ZeroDivisionError
