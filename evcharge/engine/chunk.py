"""A chunk: consecutive records of one source partition, delivered as one Faust event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from evcharge.events.received import Received


class SourceRecord(Received, Protocol):
    """What the lane needs of a consumed Kafka record."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class FirstArrival(msgspec.Struct, frozen=True, gc=False):
    """A record as it arrived in the partition that it was read from.

    Forwarded records are restored to how they first entered the system. There is one of these for every
    record: of all kinds of objects with names this is the cheapest to make and to read.
    """

    key: bytes | None
    value: bytes | None
    timestamp: int
    partition: int
    offset: int
    headers: Sequence[tuple[str, bytes | None]] = ()


class Chunk(NamedTuple):
    """Records of one partition in offset order, without those that the broker left out."""

    topic: str
    """Full name of the topic they were fetched from."""
    partition: int
    records: Sequence[SourceRecord]

    @property
    def last(self) -> SourceRecord:
        """The last record: what a commit and a marker build on."""
        return self.records[-1]
