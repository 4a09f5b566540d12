"""Looks at single records of partitions, to tell by them what a partition is."""

from __future__ import annotations

from collections.abc import Mapping

import aiokafka
from aiokafka import ConsumerRecord
from aiokafka.structs import TopicPartition

from evcharge.kafka.lenient_fetch import fetch


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
        for tp, records in (await fetch(consumer, missing, timeout_ms=500)).items():
            consumer.pause(tp)
            del missing[tp]
            found[tp] = records[0]
    return found
