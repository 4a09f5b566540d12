"""How far each source partition got: what is delivered, what is done, what can be committed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

P = TypeVar("P")


class _InFlight(NamedTuple):
    """A chunk between fetch and ack."""

    last_offset: int
    end: int
    """Where its partition goes on: behind it, and behind what holds no record."""
    size: int


class SourceProgress(Generic[P]):
    """Tracks chunks between fetch and commit, for each source partition ``P``.

    A partition is known from :meth:`start` to :meth:`forget`. What is durable moves only past chunks
    that are done in order, so a commit never passes a record whose effects could still be lost.
    """

    def __init__(self, most_in_flight: int, most_bytes: int) -> None:
        """So many chunks of a partition, and bytes of all, may be delivered and not yet done.

        A chunk may be delivered while there is room, however large it is.
        """
        self._most_in_flight = most_in_flight
        self._most_bytes = most_bytes
        self._bytes = 0
        self._next: dict[P, int] = {}
        self._in_flight: dict[P, deque[_InFlight]] = {}
        self._done_ends: dict[P, set[int]] = {}
        self._durable: dict[P, int] = {}

    def start(self, partition: P, offset: int) -> None:
        """Begin (again) at an offset, before which everything is durable.

        What was delivered before is forgotten.
        """
        self._drop(partition)
        self._durable[partition] = self._next[partition] = offset
        self._in_flight[partition] = deque()
        self._done_ends[partition] = set()

    def forget(self, partitions: Iterable[P]) -> None:
        """Drop partitions that were revoked."""
        for partition in partitions:
            self._drop(partition)
            for kept in (self._durable, self._next, self._in_flight, self._done_ends):
                kept.pop(partition, None)

    def _drop(self, partition: P) -> None:
        self._bytes -= sum(each.size for each in self._in_flight.get(partition, ()))

    def has_room(self, partition: P) -> bool:
        """Whether another chunk may be delivered."""
        in_flight = self._in_flight.get(partition)
        return (
            in_flight is not None
            and len(in_flight) < self._most_in_flight
            and self._bytes < self._most_bytes
        )

    def next_offset(self, partition: P) -> int | None:
        """Return where the next fetch has to begin, ``None`` for a partition not known."""
        return self._next.get(partition)

    def delivered(self, partition: P, last_offset: int, end: int, size: int) -> None:
        """Note that a chunk up to ``last_offset``, of ``size`` bytes, is on its way.

        Between it and ``end`` there are no records.
        """
        self._next[partition] = end
        self._in_flight[partition].append(_InFlight(last_offset, end, size))
        self._bytes += size

    def passed(self, partition: P, end: int) -> None:
        """Note that there are no records before ``end`` that were not delivered."""
        self._next[partition] = end
        in_flight = self._in_flight[partition]
        if in_flight:
            in_flight[-1] = in_flight[-1]._replace(end=end)
        else:
            self._durable[partition] = end

    def done(self, partition: P, last_offset: int) -> None:
        """Note that a chunk's effects are durable; those of unknown partitions are ignored."""
        in_flight = self._in_flight.get(partition)
        if not in_flight or all(each.last_offset != last_offset for each in in_flight):
            return
        ends = self._done_ends[partition]
        ends.add(last_offset)
        while in_flight and in_flight[0].last_offset in ends:
            first = in_flight.popleft()
            ends.discard(first.last_offset)
            self._bytes -= first.size
            self._durable[partition] = first.end

    def durable(self) -> Mapping[P, int]:
        """Return the offset before which everything is durable, and can be committed."""
        return self._durable
