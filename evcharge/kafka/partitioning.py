"""Which partition a station belongs to: murmur2 as Kafka's Java client computes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from struct import Struct, iter_unpack, unpack_from

_M = 0x5BD1E995
_SEED = 0x9747B28C
_MASK = 0xFFFFFFFF

_FEW = 8
"""So many keys are hashed sooner one by one than together."""

_MOST = 300
"""Keys that are hashed together: the numbers of more of them leave the processor's nearest cache."""


def murmur2(key: bytes) -> int:
    """Return Kafka's hash of a key (``org.apache.kafka.common.utils.Utils.murmur2``), without a sign."""
    length = len(key)
    hashed = _SEED ^ length
    for word in unpack_from(f"<{length >> 2}I", key):
        word = word * _M & _MASK  # noqa: PLW2901
        hashed = (hashed * _M & _MASK) ^ ((word ^ word >> 24) * _M & _MASK)
    if length & 3:
        hashed = (hashed ^ int.from_bytes(key[-(length & 3) :], "little")) * _M & _MASK
    hashed = (hashed ^ hashed >> 13) * _M & _MASK
    return hashed ^ hashed >> 15


def murmur2_of_each(keys: Sequence[bytes]) -> Sequence[int]:
    """Return :func:`murmur2` of each of some keys of one length, which is not 0.

    All are hashed in one go: one large number has a place of 64 bits for each key's 32, so no product
    reaches into its neighbour's place.
    """
    count, length = len(keys), len(keys[0])
    places = Struct(f"<{count}Q")
    ones = int.from_bytes(places.pack(*repeat(1, count)), "little")
    masks = ones * _MASK
    words, rest = length >> 2, length & 3
    hashed = ones * (_SEED ^ length)
    columns = list(zip(*iter_unpack(f"<{words}I{rest}s", b"".join(keys)), strict=True))
    for column in columns[:words]:
        word = int.from_bytes(places.pack(*column), "little") * _M & masks
        word ^= word >> 24 & ones * 0xFF
        hashed = (hashed * _M & masks) ^ (word * _M & masks)
    if rest:
        ends = [int.from_bytes(end, "little") for end in columns[words]]
        hashed = (hashed ^ int.from_bytes(places.pack(*ends), "little")) * _M & masks
    hashed = (hashed ^ hashed >> 13 & ones * (_MASK >> 13)) * _M & masks
    hashed ^= hashed >> 15 & ones * (_MASK >> 15)
    return places.unpack(hashed.to_bytes(places.size, "little"))


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


class Partitioner:
    """Maps station ids to partitions; remembers some answers, for murmur2 is slow in Python."""

    def __init__(self, partitions: int, remember: int = 30_000) -> None:
        """``remember``: of so many stations at most, those asked for first."""
        self.partitions = partitions
        self._remember = remember
        self._known: dict[str, int] = {}

    def partition_of(self, station_id: str) -> int:
        """Return the partition of a station."""
        known = self._known
        partition = known.get(station_id)
        if partition is None:
            partition = partition_of(station_id.encode(), self.partitions)
            if len(known) < self._remember:
                known[station_id] = partition
        return partition

    def partitions_of(self, station_ids: Sequence[str]) -> Sequence[int]:
        """Return the partition of each station."""
        known = self._known
        found = list(map(known.get, station_ids))
        if None not in found:
            return found  # type: ignore[return-value]
        unknown = [
            each for each, partition in zip(station_ids, found, strict=True) if partition is None
        ]
        computed = self._computed(unknown)
        if len(known) + len(unknown) <= self._remember:
            known.update(zip(unknown, computed, strict=True))
        if len(unknown) == len(found):
            return computed
        each_computed = iter(computed)
        return [next(each_computed) if partition is None else partition for partition in found]

    def _computed(self, station_ids: Iterable[str]) -> list[int]:
        keys = list(map(str.encode, station_ids))
        lengths = set(map(len, keys))
        if len(keys) <= _FEW or len(lengths) > 1 or 0 in lengths:
            return [partition_of(key, self.partitions) for key in keys]
        hashes = chain.from_iterable(
            murmur2_of_each(keys[start : start + _MOST]) for start in range(0, len(keys), _MOST)
        )
        partitions = self.partitions
        return [(hashed & 0x7FFFFFFF) % partitions for hashed in hashes]
