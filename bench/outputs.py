"""The outputs of a program: how many there are for a reader of committed records."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.preload import PARTITIONS

_QUIET_S = 1.0


@dataclass(frozen=True)
class Outputs:
    """What was found in an output topic."""

    records: int
    distinct: int
    """Without those that say the same: an at-least-once program may repeat itself."""


class OutputTopic:
    """An output topic from its present end on."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        self._from: dict[TopicPartition, int] = {}

    async def mark(self) -> None:
        """Count from here on."""
        async with self._consumer() as consumer:
            consumer.assign(self._partitions)
            self._from = await consumer.end_offsets(self._partitions)

    async def count(self) -> Outputs:
        """Read everything since `mark` with ``read_committed``."""
        partitions = self._partitions
        seen: set[bytes] = set()
        records = 0
        async with self._consumer() as consumer:
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            for partition in partitions:
                consumer.seek(partition, self._from[partition])
            quiet_since = asyncio.get_running_loop().time()
            while True:
                # The last offsets may be markers of transactions, which nobody delivers.
                positions = [await consumer.position(partition) for partition in partitions]
                if all(at >= ends[each] for at, each in zip(positions, partitions, strict=True)):
                    break
                fetched = await consumer.getmany(timeout_ms=200)
                now = asyncio.get_running_loop().time()
                if fetched:
                    quiet_since = now
                elif now - quiet_since > _QUIET_S:
                    break
                for found in fetched.values():
                    records += len(found)
                    seen.update(record.value for record in found)
        return Outputs(records, len(seen))

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=8 << 20,
        )
