"""One partition of one table on local storage: raw rows, bytes to bytes, written atomically."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

RESERVED = b"\x00"
"""First byte of rows that belong to the engine; table rows start with another one."""

CHANGELOG_POSITION = RESERVED + b"changelog"
"""Key of the row that says up to which changelog offset the rows are complete."""

HISTORY = RESERVED + b"history"
"""Key under which a store has the name of its changelog's history; the key of the row that gives the
name begins with it.

In a changelog the name is in the key: two workers may both have found it empty, and if their rows had
one key, compaction would take the first for outdated.
"""

TOUCHED = RESERVED + b"touched"
"""Key of a row that is only local: the time up to which the changelog was followed, in milliseconds."""

TRUSTED_MS = 12 * 3_600_000
"""How long a store may be out of touch while its changelog is written: half of the time for which
compaction keeps deletions (``delete.retention.ms``, a day)."""


def was_in_touch(value: bytes | None, now_ms: int) -> bool:
    """Whether a store with this value of :data:`TOUCHED` lacks nothing that its changelog has lost."""
    return value is not None and now_ms - int.from_bytes(value, "big") < TRUSTED_MS


_SOURCE_MARKER = RESERVED + b"source\x00"

Rows = Mapping[bytes, bytes | None]
"""What one write changes; ``None`` deletes a row."""


def source_marker(topic: str) -> bytes:
    """Return the key of the row that holds the :class:`Marker` of a source topic's partition.

    Markers travel in the changelog with the rows that they cover, so that state and position are
    restored together.
    """
    return _SOURCE_MARKER + topic.encode()


class Marker(NamedTuple):
    """The last record of a source partition whose effects are in the rows."""

    offset: int
    append_ms: int
    """When the broker appended it: another record at this offset means that the topic was made anew.

    In a topic that keeps the times of its producers it can be any number of 64 bits with a sign."""

    def encode(self) -> bytes:
        """Return the row's value."""
        return self.offset.to_bytes(8, "big") + self.append_ms.to_bytes(8, "big", signed=True)

    @classmethod
    def decode(cls, value: bytes) -> Marker:
        """Read the row's value."""
        return cls(
            int.from_bytes(value[:8], "big"), int.from_bytes(value[8:16], "big", signed=True)
        )


class PartitionStore(Protocol):
    """Local rows of one table partition, with the changelog offset up to which they are complete."""

    def get(self, key: bytes) -> bytes | None:
        """Return a row's value, ``None`` if there is no such row."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values of many rows in the order of ``keys``."""

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Yield the rows whose key starts with ``prefix``, sorted, those after ``after`` only."""

    def write(self, rows: Rows, changelog_offset: int) -> None:
        """Apply rows and the position in the changelog, both or neither."""

    def begin_restore(self) -> None:
        """Take what is written from now on as many rows at once, which a crash may take back."""

    def end_restore(self) -> None:
        """Make what was restored as lasting as other rows; without ``begin_restore`` nothing happens."""

    def changelog_offset(self) -> int | None:
        """Return the changelog offset of the last row applied, ``None`` for an empty store."""

    def marker(self, topic: str) -> Marker | None:
        """Return the marker of a source topic's partition."""

    def close(self) -> None:
        """Release files and locks."""

    def clear(self) -> None:
        """Remove every row, for a restore from the beginning."""


class Positions:
    """The engine's own rows, read the same way from every kind of store."""

    def get(self, key: bytes) -> bytes | None:
        raise NotImplementedError

    def changelog_offset(self) -> int | None:
        value = self.get(CHANGELOG_POSITION)
        return None if value is None else int.from_bytes(value, "big")

    def marker(self, topic: str) -> Marker | None:
        value = self.get(source_marker(topic))
        return None if value is None else Marker.decode(value)


class MemoryPartition(Positions):
    """Rows in memory, for tests."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self.rows.get(key) for key in keys]

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        for key in sorted(self.rows):
            if key.startswith(prefix) and (after is None or key > after):
                yield key, self.rows[key]

    def write(self, rows: Rows, changelog_offset: int) -> None:
        for key, value in rows.items():
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value
        self.rows[CHANGELOG_POSITION] = changelog_offset.to_bytes(8, "big")

    def begin_restore(self) -> None:
        pass

    def end_restore(self) -> None:
        pass

    def close(self) -> None:
        pass

    def clear(self) -> None:
        self.rows.clear()


def table_keys(rows: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out the engine's own rows."""
    return (key for key in rows if not key.startswith(RESERVED))
