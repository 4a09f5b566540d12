"""Stops aiokafka's consumers, which do not always stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer

logger = logging.getLogger(__name__)

PATIENCE_S = 5.0


async def close(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer within a few seconds; raises nothing but a cancellation of the caller.

    Now and then aiokafka's fetcher does not take note that it is cancelled, and ``stop`` waits for it
    for ever. Or it raises the cancellation of a fetch that waited to be repeated, as if it were the
    caller's, and leaves the connections open.
    """
    stopping = asyncio.create_task(consumer.stop(), name="stop-consumer")
    try:
        await asyncio.wait({stopping}, timeout=PATIENCE_S)
    finally:
        stopping.cancel()
    if stopping.done() and not stopping.cancelled():
        if (problem := stopping.exception()) is None:
            return
        logger.warning("a consumer did not stop as it should: %r", problem)
    with contextlib.suppress(Exception):
        async with asyncio.timeout(PATIENCE_S):
            await consumer._client.close()  # noqa: SLF001 - aiokafka has no other way to it


@contextlib.asynccontextmanager
async def started(consumer: AIOKafkaConsumer) -> AsyncIterator[AIOKafkaConsumer]:
    """Start a consumer, and stop it in the end."""
    try:
        await consumer.start()
        yield consumer
    finally:
        await close(consumer)
