"""The checker reads a topic as Kafka holds it, undecided transactions included."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from evcharge.broker import KafkaCluster
from evcharge.errors import CommandError
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


async def test_a_partition_is_read_from_where_it_begins_and_not_from_before(
    kafka: KafkaCluster,
) -> None:
    topic = uuid.uuid4().hex[:8]
    async with KafkaAdmin([kafka.bootstrap]) as admin:
        await admin.create([NewTopic(topic, 1, 1, {})])
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for value in (b"removed", b"also", b"left"):
            await producer.send_and_wait(topic, value, partition=0)
    deleting = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await deleting.start()
    try:
        await deleting.delete_records({TopicPartition(topic, 0): RecordsToDelete(2)})
    finally:
        await deleting.close()

    async with Topics([kafka.bootstrap]) as topics:
        begin = await topics.begin(topic, 0)
        assert begin == 2
        found = [r.value async for batch in topics.read(topic, 0, begin=begin) for r in batch]
        assert found == [b"left"]
        with pytest.raises(CommandError, match=f"{topic}/0 begins at offset 2"):
            await anext(aiter(topics.read(topic, 0)))
