"""Everything in a topic, read with a plain client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition


async def read_topic(bootstrap: str | Sequence[str], name: str) -> list[Any]:
    """Return what is in a topic now, by partition and offset; without what was not committed.

    Kafka shows what a transaction wrote only some time after it has confirmed its end, so this waits
    for what is undecided. A producer that died leaves it so until another takes its name over.
    """
    async with (
        AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            enable_auto_commit=False,
        ) as consumer,
        AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as uncommitted,
    ):
        # Metadata of a topic that nobody subscribed to are not fetched by themselves.
        await consumer._client.add_topic(name)
        tps = [TopicPartition(name, p) for p in consumer.partitions_for_topic(name) or ()]
        assert tps, f"the topic {name} does not exist"
        consumer.assign(tps)
        ends = await uncommitted.end_offsets(tps)
        found: list[Any] = []
        while any([await consumer.position(tp) < ends[tp] for tp in tps]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
        return sorted(found, key=lambda record: (record.partition, record.offset))
