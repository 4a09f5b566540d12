"""Which partition a station belongs to: murmur2 as Kafka's Java client computes it."""

from __future__ import annotations

from functools import lru_cache

from aiokafka.partitioner import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key."""
    return (int(murmur2(key)) & 0x7FFFFFFF) % partitions


class Partitioner:
    """Maps station ids to partitions; remembers recent answers, for murmur2 is slow in Python."""

    def __init__(self, partitions: int, remember: int = 100_000) -> None:
        self.partitions = partitions

        @lru_cache(maxsize=remember)
        def of_station(station_id: str) -> int:
            return partition_of(station_id.encode(), partitions)

        self.partition_of = of_station
