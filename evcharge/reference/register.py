"""The register: what the operator says about each station, and said of its terms before.

Kept in RocksDB beside the tables, so that a million stations cost little memory and a restart goes on
where it stopped. It is a copy: whenever in doubt it is read anew from Kafka.

An entry that makes other terms than the one before it begins a version: sessions that started before
keep what held then. The versions of a station but the last are rows of their own, the newest first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from evcharge.domain.station_register import RegisteredStation, have_same_terms
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.stations import parse_station
from evcharge.reference.feed import Position, ReferenceRecord
from evcharge.reference.refusals import Refusals
from evcharge.storage.partition_store import MemoryPartition, PartitionStore
from evcharge.storage.rocks_partition import RocksPartition

_STATION, _REMOVED = b"s", b"g"
"""The last version of each station: of one that is registered, and of one that was."""
_EARLIER = b"v"
_ABOUT = b"about"

_FORMAT = 2
"""Of the rows; another number and the topic is read anew, also when more records became valid."""

_CACHED_STATIONS = 2_000


class _About(NamedTuple):
    """The row that says what the other rows are."""

    format: int
    append_ms: int
    """Of the last record applied."""
    stations: int


class _Version(NamedTuple):
    """What the register says of a station from an instant on."""

    station: RegisteredStation | None
    """The last entry with these terms; None: it was removed."""
    since_ms: int
    """When the first one was appended; 0 for the first version, which holds for all time before too."""


_encoder = msgspec.msgpack.Encoder()
_versions = msgspec.msgpack.Decoder(_Version)
_abouts = msgspec.msgpack.Decoder(_About)


class Register:
    """Station by id. One follower writes; reads see whole batches only."""

    topic = "stations"

    def __init__(self, store: PartitionStore) -> None:
        self._store = store
        self.refusals = Refusals(self.topic)
        self._cache: OrderedDict[str, _Version | None] = OrderedDict()
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
        last = self._last(station_id)
        return None if last is None else last.station

    def valid_at(self, station_id: str, instant_us: int) -> RegisteredStation | None:
        """Return the entry with the terms of an instant, as ``station_register.valid_entry`` has it."""
        last = self._last(station_id)
        if last is None or last.since_ms == 0 or last.since_ms * 1_000 <= instant_us:
            return None if last is None else last.station
        at_ms = max(instant_us // 1_000, 0)
        # Rows behind this key are of versions that begin at that time or earlier.
        behind = _earlier_key(station_id, at_ms + 1)
        _, row = next(self._store.scan(_earlier_prefix(station_id), behind))
        return _versions.decode(row).station

    def _last(self, station_id: str) -> _Version | None:
        cache = self._cache
        if station_id in cache:
            cache.move_to_end(station_id)
            return cache[station_id]
        key, get = station_id.encode(), self._store.get
        row = get(_STATION + key) or get(_REMOVED + key)
        version = cache[station_id] = None if row is None else _versions.decode(row)
        if len(cache) > _CACHED_STATIONS:
            cache.popitem(last=False)
        return version

    def _stored(self, station_ids: Sequence[str]) -> list[_Version | None]:
        """Return the last version of each station, past the cache."""
        keys = [each.encode() for each in station_ids]
        rows = self._store.get_many([_STATION + key for key in keys])
        removed = self._store.get_many([_REMOVED + key for key in keys])
        found = (row or gone for row, gone in zip(rows, removed, strict=True))
        return [None if row is None else _versions.decode(row) for row in found]

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
        changes: list[tuple[str, _Version]] = []
        for record in records:
            change = _change(record)
            if isinstance(change, Rejected):
                self.refusals.add(record.offset, change)
            else:
                changes.append((change[0], _Version(change[1], max(record.append_ms, 0))))
        known = list(dict.fromkeys(station_id for station_id, _ in changes))
        before = dict(zip(known, self._stored(known), strict=True))
        last, rows = dict(before), dict[bytes, bytes | None]()
        for station_id, new in changes:
            last[station_id] = _followed(last[station_id], new, station_id, rows)
        for station_id, version in last.items():
            if version is not None:
                rows.update(_rows_of_last(station_id, version))
        added = sum(map(_is_registered, last.values())) - sum(map(_is_registered, before.values()))
        about = _About(_FORMAT, records[-1].append_ms, self._about.stations + added)
        self._store.write({**rows, _ABOUT: _encoder.encode(about)}, records[-1].offset)
        self._about = about
        for station_id in known:
            self._cache.pop(station_id, None)

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


def _is_registered(version: _Version | None) -> bool:
    return version is not None and version.station is not None


def _followed(
    last: _Version | None, new: _Version, station_id: str, rows: dict[bytes, bytes | None]
) -> _Version | None:
    """Return the last version of a station after one more entry; put away the one before it."""
    if last is None:
        # To remove what was never there says nothing.
        return None if new.station is None else new._replace(since_ms=0)
    if have_same_terms(last.station, new.station) or new.since_ms <= last.since_ms:
        return last._replace(station=new.station)
    rows[_earlier_key(station_id, last.since_ms)] = _encoder.encode(last)
    return new


def _rows_of_last(station_id: str, version: _Version) -> dict[bytes, bytes | None]:
    key, row = station_id.encode(), _encoder.encode(version)
    if version.station is None:
        return {_STATION + key: None, _REMOVED + key: row}
    return {_STATION + key: row, _REMOVED + key: None}


def _earlier_prefix(station_id: str) -> bytes:
    return _EARLIER + station_id.encode() + b"\0"


def _earlier_key(station_id: str, since_ms: int) -> bytes:
    """Return the key of a version; a later one comes first."""
    return _earlier_prefix(station_id) + ((1 << 63) - since_ms).to_bytes(8, "big")


def _change(record: ReferenceRecord) -> tuple[str, RegisteredStation | None] | Rejected:
    """Return which station a record is about, and its entry or, to remove it, ``None``."""
    if record.value is None:
        if record.key is None:
            return Rejected(Reason.NO_VALUE, "neither key nor value: nothing to remove")
        try:
            return record.key.decode(), None
        except UnicodeDecodeError:
            return Rejected(Reason.BAD_VALUE, "the key is no station_id")
    station = parse_station(record.value)
    if isinstance(station, Rejected):
        return station
    entry = station.registered()
    if record.key is not None and record.key != entry.station_id.encode():
        # A later removal names the key: under another one the entry could never be removed.
        return Rejected(Reason.BAD_VALUE, "the key names another station than the value")
    return entry.station_id, entry
