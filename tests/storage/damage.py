"""Rows in a file that is damaged under the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evcharge.storage import rocks_options
from evcharge.storage.rocks_partition import RocksPartition


def opened(path: Path) -> RocksPartition:
    """Open a database whose files have to be read: the cache may know their blocks already."""
    rocks_options._BLOCK_CACHE.set_capacity(0)
    rocks_options._BLOCK_CACHE.set_capacity(rocks_options.BLOCK_CACHE_BYTES)
    return RocksPartition(path)


def damage_largest_file(path: Path) -> None:
    """Overwrite the beginning of a database's largest file of rows, which nobody sees before a read."""
    file = max(path.glob("*.sst"), key=lambda each: each.stat().st_size)
    file.write_bytes(b"\xff" * 32 + file.read_bytes()[32:])


def with_a_damaged_file(path: Path, rows: Mapping[bytes, bytes], offset: int) -> RocksPartition:
    """Return an open database of rows that can be read no more."""
    store = RocksPartition(path / "damaged-3")
    store.write(rows, offset)
    # Into a file.
    store.begin_restore()
    store.end_restore()
    store.close()
    damage_largest_file(store.path)
    return opened(store.path)
