"""Which partition a station belongs to: murmur2 as Kafka's Java client computes it."""

from __future__ import annotations

from functools import lru_cache
from struct import unpack_from

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Return Kafka's hash of a key (``org.apache.kafka.common.utils.Utils.murmur2``), without a sign."""
    length = len(key)
    hashed = 0x9747B28C ^ length
    for word in unpack_from(f"<{length >> 2}I", key):
        word = word * _M & _MASK  # noqa: PLW2901
        hashed = (hashed * _M & _MASK) ^ ((word ^ word >> 24) * _M & _MASK)
    if length & 3:
        hashed = (hashed ^ int.from_bytes(key[-(length & 3) :], "little")) * _M & _MASK
    hashed = (hashed ^ hashed >> 13) * _M & _MASK
    return hashed ^ hashed >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


class Partitioner:
    """Maps station ids to partitions; remembers recent answers, for murmur2 is slow in Python."""

    def __init__(self, partitions: int, remember: int = 100_000) -> None:
        self.partitions = partitions

        @lru_cache(maxsize=remember)
        def of_station(station_id: str) -> int:
            return partition_of(station_id.encode(), partitions)

        self.partition_of = of_station
