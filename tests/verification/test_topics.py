"""The checker reads a topic as Kafka holds it, undecided transactions included."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaProducer

from evcharge.broker import KafkaCluster
from evcharge.kafka.admin import KafkaAdmin, NewTopic
from evcharge.verification.topics import Topics

pytestmark = pytest.mark.broker


async def test_a_partition_is_read_behind_a_transaction_that_is_still_undecided(
    kafka: KafkaCluster,
) -> None:
    topic = uuid.uuid4().hex[:8]
    async with KafkaAdmin([kafka.bootstrap]) as admin:
        await admin.create([NewTopic(topic, 1, 1, {})])

    async def values() -> list[bytes]:
        async with Topics([kafka.bootstrap]) as topics:
            return [r.value async for batch in topics.read(topic, 0) for r in batch]

    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, transactional_id=topic, enable_idempotence=True
    ) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"undecided", partition=0)
            reading = asyncio.create_task(values())
            finished, _ = await asyncio.wait({reading}, timeout=1)
            assert not finished, "it took an undecided transaction for the end of the topic"
        assert await reading == [b"undecided"]
