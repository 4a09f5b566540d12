"""Which partition a station belongs to: murmur2 as Kafka's Java client computes it."""

from __future__ import annotations

from functools import lru_cache

from aiokafka.partitioner import murmur2


class Partitioner:
    """Maps station ids to partitions; remembers recent answers, for murmur2 is slow in Python."""

    def __init__(self, partitions: int, remember: int = 100_000) -> None:
        self.partitions = partitions

        @lru_cache(maxsize=remember)
        def partition_of(station_id: str) -> int:
            return (int(murmur2(station_id.encode())) & 0x7FFFFFFF) % partitions

        self.partition_of = partition_of
