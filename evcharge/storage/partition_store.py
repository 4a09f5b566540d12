"""One partition of one table on local storage: raw rows, bytes to bytes, written atomically."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
)

from evcharge.errors import EvchargeError

RESERVED = b"\x00"
"""First byte of rows that belong to the engine; table rows start with another one."""

_CHANGELOG_POSITION = RESERVED + b"changelog"
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
    """When the broker appended it: another record at this offset means that the topic was made anew."""

    def encode(self) -> bytes:
        """Return the row's value."""
        return self.offset.to_bytes(8, "big") + self.append_ms.to_bytes(8, "big")

    @classmethod
    def decode(cls, value: bytes) -> Marker:
        """Read the row's value."""
        return cls(int.from_bytes(value[:8], "big"), int.from_bytes(value[8:16], "big"))


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

    def changelog_offset(self) -> int | None:
        """Return the changelog offset of the last row applied, ``None`` for an empty store."""

    def marker(self, topic: str) -> Marker | None:
        """Return the marker of a source topic's partition."""

    def close(self) -> None:
        """Release files and locks."""

    def clear(self) -> None:
        """Remove every row, for a restore from the beginning."""


class _Positions:
    """The engine's own rows, read the same way from every kind of store."""

    def get(self, key: bytes) -> bytes | None:
        raise NotImplementedError

    def changelog_offset(self) -> int | None:
        value = self.get(_CHANGELOG_POSITION)
        return None if value is None else int.from_bytes(value, "big")

    def marker(self, topic: str) -> Marker | None:
        value = self.get(source_marker(topic))
        return None if value is None else Marker.decode(value)


class MemoryPartition(_Positions):
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
        self.rows[_CHANGELOG_POSITION] = changelog_offset.to_bytes(8, "big")

    def close(self) -> None:
        pass

    def clear(self) -> None:
        self.rows.clear()


# One cache for all partitions of the process: RocksDB's default is one of its own per database.
_BLOCK_CACHE = Cache(64 << 20)


def _options() -> Options:
    """RocksDB sized for dozens of small databases on a small machine."""
    table = BlockBasedOptions()
    table.set_block_cache(_BLOCK_CACHE)
    table.set_bloom_filter(10, block_based=False)
    table.set_cache_index_and_filter_blocks(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(8 << 20)
    options.set_max_write_buffer_number(2)
    options.set_max_open_files(64)
    options.set_keep_log_file_num(2)
    options.set_compression_type(DBCompressionType.lz4())
    return options


class RocksPartition(_Positions):
    """Rows in a RocksDB database of their own."""

    def __init__(self, path: Path) -> None:
        """Open or create the database at ``path``.

        Raises:
            StoreInUseError: another process has it open.
            Exception: whatever else RocksDB says.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = Rdict(str(path), options=_options())
        except Exception as problem:
            if "lock" in str(problem).lower():
                raise StoreInUseError(path) from problem
            raise

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = self._db.get(key)
        return value

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return cast("list[bytes | None]", self._db.get(list(keys)))

    def scan(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        rows = self._db.iter()
        rows.seek(prefix if after is None else max(prefix, after))
        while rows.valid():
            key: bytes = rows.key()
            if not key.startswith(prefix):
                return
            if after is None or key > after:
                yield key, rows.value()
            rows.next()

    def write(self, rows: Rows, changelog_offset: int) -> None:
        batch = WriteBatch(raw_mode=True)
        for key, value in rows.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(_CHANGELOG_POSITION, changelog_offset.to_bytes(8, "big"))
        self._db.write(batch)

    def close(self) -> None:
        self._db.close()

    def clear(self) -> None:
        self._db.close()
        shutil.rmtree(self.path)
        self._db = Rdict(str(self.path), options=_options())


class StoreInUseError(EvchargeError):
    """Another process has the database open: two workers were given one data directory."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is in use by another process: give every worker its own EVCHARGE_DATA_DIR"
        )


def table_keys(rows: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out the engine's own rows."""
    return (key for key in rows if not key.startswith(RESERVED))
