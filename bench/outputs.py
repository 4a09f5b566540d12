"""The outputs of a program, as a reader of committed records sees them, with Kafka's own clock."""

from __future__ import annotations

import asyncio
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.preload import PARTITIONS

_QUIET_S = 0.5


class Outputs:
    """What is appended to an output topic from now on, as an async context manager."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            max_partition_fetch_bytes=8 << 20,
        )
        self._start: dict[TopicPartition, int] = {}
        self._first_ms: dict[bytes, int] = {}
        self.records = 0
        """Outputs read so far, repeats included."""

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        self._start = await self._consumer.end_offsets(self._partitions)
        for partition, offset in self._start.items():
            self._consumer.seek(partition, offset)
        # Not fetched while a program runs: reading would take Kafka's time.
        self._consumer.pause(*self._partitions)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def size(self) -> int:
        """Return how many offsets were appended: outputs, repeats, markers of transactions."""
        ends = await self._consumer.end_offsets(self._partitions)
        return sum(end - self._start[partition] for partition, end in ends.items())

    async def read(self) -> int:
        """Read all that is committed now; return how many different outputs there are by now."""
        loop = asyncio.get_running_loop()
        ends = await self._consumer.end_offsets(self._partitions)
        self._consumer.resume(*self._partitions)
        since = loop.time()
        # The last offsets may be markers of transactions, which nobody delivers.
        while await self._before(ends) and loop.time() - since < _QUIET_S:
            for records in (await self._consumer.getmany(timeout_ms=100)).values():
                since = loop.time()
                self.records += len(records)
                for record in records:
                    self._first_ms.setdefault(record.value, record.timestamp)
        self._consumer.pause(*self._partitions)
        return len(self._first_ms)

    async def _before(self, ends: dict[TopicPartition, int]) -> bool:
        for partition, end in ends.items():
            if await self._consumer.position(partition) < end:
                return True
        return False

    @property
    def distinct(self) -> int:
        """Different outputs read so far."""
        return len(self._first_ms)

    def append_times_ms(self) -> list[int]:
        """Return when Kafka appended each of the outputs read, sorted; of repeats the first."""
        return sorted(self._first_ms.values())
