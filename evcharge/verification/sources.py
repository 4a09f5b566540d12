"""What becomes of every record that a table is computed from: accepted, rejected, or somebody else's.

The records of one table partition come from two topics, the device topic and its rerouted one. A
rerouted record carries in its headers where and when it first arrived, and counts as if it had arrived
there (contract, *Wrong partition*).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from evcharge.domain.quantities import MAX_INSTANT_US
from evcharge.events.rejection import Reason, Rejected
from evcharge.kafka.batches import MAX_RECORD_BYTES, size_alone
from evcharge.kafka.partitioning import Partitioner
from evcharge.storage.partition_store import Marker
from evcharge.verification.outputs import ExpectedOutputs, Output, Place

_FIRST_PLACE = ("source-partition", "source-offset", "ingest-ms")
"""Headers of a rerouted record, after those that it came with."""


class OfStation(Protocol):
    """A decoded record; its station decides its partition."""

    @property
    def station_id(self) -> str: ...


R = TypeVar("R", bound=OfStation)


class Arrival(NamedTuple):
    """A record as it first arrived."""

    key: bytes | None
    value: bytes | None
    timestamp: int
    partition: int
    offset: int
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(slots=True)
class Source(Generic[R]):
    """One partition of one topic that a table is computed from."""

    begin: int = 0
    """The offset of its first record; more than 0: retention has removed what came before."""
    accepted: list[R] = field(default_factory=list)
    """In the order of their offsets in this topic."""
    last: Marker | None = None
    """Its last record; with all applied, this is what the table's marker says."""
    now_us: int = 0
    """The latest append time of any record, accepted or not, that can be true: up to then a worker that
    reads on may have forgotten sessions. A rerouted record's is that of its forwarding."""


def are_cut(sources: Mapping[str, Source[Any]]) -> bool:
    """Whether not all is there any more from which rows follow."""
    return any(source.begin for source in sources.values())


@dataclass(frozen=True, slots=True)
class Sorting(Generic[R]):
    """How the records of a topic, and of its rerouted one if it has one, are sorted."""

    topic: str
    decode: Callable[[Sequence[Any]], Sequence[R | Rejected]]
    partitioner: Partitioner
    dead_letters: ExpectedOutputs
    rerouted: ExpectedOutputs | None = None
    """None: what is in a wrong partition is rejected."""

    def sort(
        self, source: Source[R], partition: int, records: Sequence[Any], *, again: bool
    ) -> None:
        """Sort the next records of a source; ``again`` if it is the rerouted topic's."""
        arrivals = [first_arrival(record) for record in records] if again else records
        for arrival, outcome in zip(arrivals, self.decode(arrivals), strict=True):
            place = Place(self.topic, arrival.partition, arrival.offset)
            if isinstance(outcome, Rejected):
                self.dead_letters.add(place, dead_letter(arrival, place, partition, outcome))
            elif (home := self.partitioner.partition_of(outcome.station_id)) == partition:
                source.accepted.append(outcome)
            elif self.rerouted is not None:
                self._expect_forwarded(arrival, place, partition, home)
            else:
                detail = f"station {outcome.station_id} belongs to partition {home}"
                wrong = Rejected(Reason.WRONG_PARTITION, detail)
                self.dead_letters.add(place, dead_letter(arrival, place, partition, wrong))
        if records:
            source.last = Marker(records[-1].offset, records[-1].timestamp)
        times_us = (record.timestamp * 1_000 for record in records)
        plausible = (at_us for at_us in times_us if 0 <= at_us <= MAX_INSTANT_US)
        source.now_us = max(source.now_us, max(plausible, default=0))

    def _expect_forwarded(self, arrival: Arrival, place: Place, partition: int, home: int) -> None:
        assert self.rerouted is not None
        record = forwarded(arrival, home)
        size = size_alone(*record[1:])
        if size <= MAX_RECORD_BYTES:
            self.rerouted.add(place, record)
            return
        detail = f"The record cannot be rerouted: {size:,} bytes, more than {MAX_RECORD_BYTES:,}."
        letter = dead_letter(arrival, place, partition, Rejected(Reason.TOO_LARGE, detail))
        self.dead_letters.add(place, letter)

    def refuse(
        self,
        refused: Mapping[Place, Rejected],
        partition: int,
        records: Sequence[Any],
        *,
        again: bool,
    ) -> None:
        """Expect the dead letters of records that were accepted and then refused by a rule."""
        for record in records:
            arrival = first_arrival(record) if again else record
            place = Place(self.topic, arrival.partition, arrival.offset)
            if place in refused:
                letter = dead_letter(arrival, place, partition, refused[place])
                self.dead_letters.add(place, letter)


def dead_letter(arrival: Arrival, place: Place, partition: int, rejected: Rejected) -> Output:
    """Return the dead letter that a rejected record has to have (contract, *dead-letters*)."""

    def ours(detail: str) -> tuple[tuple[str, bytes], ...]:
        return (
            ("reason", rejected.reason.value.encode()),
            ("detail", detail.encode(errors="backslashreplace")),
            ("topic", place.topic.encode()),
            ("partition", str(place.partition).encode()),
            ("offset", str(place.offset).encode()),
        )

    whole = Output(
        partition, arrival.key, arrival.value, (*arrival.headers, *ours(rejected.detail))
    )
    size = size_alone(*whole[1:])
    if size <= MAX_RECORD_BYTES:
        return whole
    left = f"{rejected.detail} Its {size:,} bytes do not fit here and are left where they were."
    return Output(partition, None, None, ours(left))


def forwarded(arrival: Arrival, home: int) -> Output:
    """Return the record that has to be in partition ``home`` of the rerouted topic."""
    ours = zip(_FIRST_PLACE, (arrival.partition, arrival.offset, arrival.timestamp), strict=True)
    headers = (*arrival.headers, *((name, str(number).encode()) for name, number in ours))
    return Output(home, arrival.key, arrival.value, headers)


def first_arrival(record: Any) -> Any:
    """Return a record of a rerouted topic as it first arrived; one without our headers as it is."""
    ours = {name: int(value) for name, value in record.headers if _is_ours(name, value)}
    if len(ours) < len(_FIRST_PLACE):
        return record
    partition, offset, ingest_ms = (ours[name] for name in _FIRST_PLACE)
    theirs = tuple((name, value) for name, value in record.headers if not _is_ours(name, value))
    return Arrival(record.key, record.value, ingest_ms, partition, offset, theirs)


def _is_ours(name: str, value: bytes | None) -> bool:
    return name in _FIRST_PLACE and value is not None and _is_number(value)


def _is_number(value: bytes) -> bool:
    """Whether a header can be a number of ours: Python does not even read one of 5,000 digits."""
    return value.isdigit() and len(value) <= 18


def place_of_rerouted(device_topic: str, record: Any) -> Place | None:
    """Return where a record of a rerouted topic first arrived, if it says so."""
    arrival = first_arrival(record)
    return None if arrival is record else Place(device_topic, arrival.partition, arrival.offset)


def place_of_dead_letter(record: Any) -> Place | None:
    """Return where the record of a dead letter first arrived, if it says so.

    The last header of each name is ours: the record itself may have come with others.
    """
    said = dict(record.headers)
    topic, partition, offset = (said.get(name) or b"" for name in ("topic", "partition", "offset"))
    if not (_is_number(partition) and _is_number(offset)):
        return None
    return Place(topic.decode(errors="backslashreplace"), int(partition), int(offset))
