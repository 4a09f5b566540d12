"""The register: what the operator says about each station, as of the last record read.

Kept in RocksDB beside the tables, so that a million stations cost little memory and a restart goes on
where it stopped. It is a copy: whenever in doubt it is read anew from Kafka.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from evcharge.domain.station_register import RegisteredStation
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.stations import parse_station
from evcharge.reference.feed import Position, ReferenceRecord
from evcharge.reference.refusals import Refusals
from evcharge.storage.partition_store import MemoryPartition, PartitionStore
from evcharge.storage.rocks_partition import RocksPartition

_STATION = b"s"
_ABOUT = b"about"

_FORMAT = 1
"""Of the rows; another number and the topic is read anew, also when more records became valid."""

_CACHED_STATIONS = 2_000


class _About(NamedTuple):
    """The row that says what the other rows are."""

    format: int
    append_ms: int
    """Of the last record applied."""
    stations: int


_encoder = msgspec.msgpack.Encoder()
_stations = msgspec.msgpack.Decoder(RegisteredStation)
_abouts = msgspec.msgpack.Decoder(_About)


class Register:
    """Station by id. One follower writes; reads see whole batches only."""

    topic = "stations"

    def __init__(self, store: PartitionStore) -> None:
        self._store = store
        self.refusals = Refusals(self.topic)
        self._cache: OrderedDict[str, RegisteredStation | None] = OrderedDict()
        self._about = self._read_about()
        if self._about.format != _FORMAT:
            self.clear()

    @classmethod
    def in_memory(cls) -> Register:
        """Return an empty register without a disk, for tests."""
        return cls(MemoryPartition())

    @classmethod
    def at(cls, directory: Path) -> Register:
        """Open or create the register kept in ``directory``.

        Raises:
            StoreInUseError: another process has it open.
        """
        return cls(RocksPartition(directory / "stations"))

    def get(self, station_id: str) -> RegisteredStation | None:
        """Return a station's entry, ``None`` if it is not registered."""
        cache = self._cache
        if station_id in cache:
            cache.move_to_end(station_id)
            return cache[station_id]
        row = self._store.get(_STATION + station_id.encode())
        station = cache[station_id] = None if row is None else _stations.decode(row)
        if len(cache) > _CACHED_STATIONS:
            cache.popitem(last=False)
        return station

    def ids(self, after: str | None = None) -> Iterator[str]:
        """Yield the registered ids, sorted, those after ``after`` only."""
        start = None if after is None else _STATION + after.encode()
        for key, _ in self._store.scan(_STATION, start):
            yield key[len(_STATION) :].decode()

    def __len__(self) -> int:
        """Return how many stations are registered."""
        return self._about.stations

    @property
    def position(self) -> Position | None:
        """The last record applied."""
        offset = self._store.changelog_offset()
        return None if offset is None else Position(offset, self._about.append_ms)

    def apply(self, records: Sequence[ReferenceRecord]) -> None:
        """Apply records in offset order and remember the position, both or neither."""
        rows: dict[bytes, bytes | None] = {}
        for record in records:
            change = _change(record)
            if isinstance(change, Rejected):
                self.refusals.add(record.offset, change)
            else:
                rows.update([change])
        before = self._store.get_many(list(rows))
        added = sum(
            (new is not None) - (old is not None)
            for new, old in zip(rows.values(), before, strict=True)
        )
        about = _About(_FORMAT, records[-1].append_ms, self._about.stations + added)
        self._store.write({**rows, _ABOUT: _encoder.encode(about)}, records[-1].offset)
        self._about = about
        for key in rows:
            self._cache.pop(key[len(_STATION) :].decode(), None)

    def clear(self) -> None:
        """Forget everything."""
        self._store.clear()
        self._cache.clear()
        self._about = _About(_FORMAT, 0, 0)

    def close(self) -> None:
        """Release files and locks."""
        self._store.close()

    def _read_about(self) -> _About:
        row = self._store.get(_ABOUT)
        if row is None:
            # New, or something that is not ours: the position decides which.
            return _About(_FORMAT if self._store.changelog_offset() is None else 0, 0, 0)
        try:
            return _abouts.decode(row)
        except msgspec.MsgspecError:
            return _About(0, 0, 0)


def _change(record: ReferenceRecord) -> tuple[bytes, bytes | None] | Rejected:
    """Return the row that a record sets or, with ``None``, removes."""
    if record.value is None:
        if record.key is None:
            return Rejected(Reason.NO_VALUE, "neither key nor value: nothing to remove")
        try:
            record.key.decode()
        except UnicodeDecodeError:
            return Rejected(Reason.BAD_VALUE, "the key is no station_id")
        return _STATION + record.key, None
    station = parse_station(record.value)
    if isinstance(station, Rejected):
        return station
    entry = station.registered()
    key = entry.station_id.encode()
    if record.key is not None and record.key != key:
        # A later removal names the key: under another one the entry could never be removed.
        return Rejected(Reason.BAD_VALUE, "the key names another station than the value")
    return _STATION + key, _encoder.encode(entry)
