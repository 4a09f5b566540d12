"""Looks at single records of partitions, to tell by them what a partition is."""

from __future__ import annotations

from collections.abc import Mapping

import aiokafka
from aiokafka import ConsumerRecord
from aiokafka.structs import TopicPartition

from evcharge.kafka.lenient_fetch import unblock


async def records_at(
    consumer: aiokafka.AIOKafkaConsumer, positions: Mapping[TopicPartition, int]
) -> Mapping[TopicPartition, ConsumerRecord]:
    """Return the first record at or behind each position; waits until every partition has one.

    Assigns the consumer, which should fetch little at a time: nothing else is looked at.
    """
    found: dict[TopicPartition, ConsumerRecord] = {}
    missing = dict(positions)
    consumer.assign(list(missing))
    for tp, offset in positions.items():
        consumer.seek(tp, offset)
    while missing:
        try:
            fetched = await consumer.getmany(*missing, timeout_ms=500)
        except UnicodeDecodeError:
            await unblock(consumer, list(missing), positions.get)
            continue
        for tp, records in fetched.items():
            consumer.pause(tp)
            del missing[tp]
            found[tp] = records[0]
    return found
