"""Whether all that was published or decided is in the tables: the group's commits against the ends."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from evcharge.topics.catalogue import DEVICE_TOPICS, REROUTED_TOPICS, SESSION_DECISIONS

if TYPE_CHECKING:
    from evcharge.settings import Settings

_LOOK_S = 0.3


async def applied(settings: Settings, within_s: float) -> bool:
    """Wait until all that devices and persons said by now is applied; False if too slow.

    The worker commits a source offset once what it read before it is durable in its tables. The
    rerouted topics are looked at too: they may grow as long as their sources are not done. A Kafka that
    is away, or has no leaders for a moment, is asked again.
    """
    partitions = [
        TopicPartition(settings.topic(topic.name), number)
        for topic in (*DEVICE_TOPICS, *REROUTED_TOPICS, SESSION_DECISIONS)
        for number in range(settings.partitions)
    ]
    try:
        async with asyncio.timeout(within_s):
            while True:
                # aiokafka asserts that it knows a broker; from one that counts as dead it hears of none.
                with contextlib.suppress(KafkaError, AssertionError):
                    await _all_applied(settings, partitions)
                    return True
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        return False


async def _all_applied(settings: Settings, partitions: list[TopicPartition]) -> None:
    """Wait until the group has committed all that is in the partitions."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap, group_id=settings.app_id, enable_auto_commit=False
    )
    try:
        await consumer.start()
        # Assigned, not subscribed: a member of the group would take partitions from the worker.
        consumer.assign(partitions)
        while await _behind(consumer, partitions):  # noqa: ASYNC110 - only Kafka knows
            await asyncio.sleep(_LOOK_S)
    finally:
        await consumer.stop()


async def _behind(consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> bool:
    ends = await consumer.end_offsets(partitions)
    for partition in partitions:
        if ends[partition] > (await consumer.committed(partition) or 0):
            return True
    return False
