"""A partition's rows on local storage, the same in memory and in RocksDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evcharge.storage.errors import StoreInUseError
from evcharge.storage.partition_store import (
    Marker,
    MemoryPartition,
    PartitionStore,
    source_marker,
)
from evcharge.storage.rocks_partition import RocksPartition


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PartitionStore]:
    kind: PartitionStore = (
        MemoryPartition() if request.param == "memory" else RocksPartition(tmp_path / "t-0")
    )
    yield kind
    kind.close()


def test_an_empty_store_has_no_position(store: PartitionStore) -> None:
    assert store.changelog_offset() is None
    assert store.marker("station-status") is None
    assert store.get(b"Sx") is None


def test_rows_and_positions_are_written_together(store: PartitionStore) -> None:
    store.write({b"Sa": b"1", source_marker("t"): Marker(41, 1_700_000_000_000).encode()}, 7)
    assert store.get(b"Sa") == b"1"
    assert store.marker("t") == Marker(41, 1_700_000_000_000)
    assert store.changelog_offset() == 7


def test_a_null_deletes_a_row(store: PartitionStore) -> None:
    store.write({b"Sa": b"1"}, 0)
    store.write({b"Sa": None, b"Sb": b"2"}, 2)
    assert store.get_many([b"Sa", b"Sb"]) == [None, b"2"]


def test_a_scan_yields_one_prefix_sorted(store: PartitionStore) -> None:
    store.write({b"Sb": b"2", b"Sa": b"1", b"T": b"3", b"R": b"0", b"Sc": b"3"}, 0)
    assert list(store.scan(b"S")) == [(b"Sa", b"1"), (b"Sb", b"2"), (b"Sc", b"3")]


def test_a_scan_goes_on_behind_a_key_whether_it_exists_or_not(store: PartitionStore) -> None:
    store.write({b"Sa": b"1", b"Sb": b"2", b"Sc": b"3"}, 0)
    assert [key for key, _ in store.scan(b"S", b"Sa")] == [b"Sb", b"Sc"]
    assert [key for key, _ in store.scan(b"S", b"Saa")] == [b"Sb", b"Sc"]


def test_a_cleared_store_is_empty_and_usable(store: PartitionStore) -> None:
    store.write({b"Sa": b"1"}, 3)
    store.clear()
    assert store.changelog_offset() is None
    assert list(store.scan(b"S")) == []
    store.write({b"Sa": b"2"}, 4)
    assert store.get(b"Sa") == b"2"


def test_rocksdb_rows_survive_a_restart(tmp_path: Path) -> None:
    first = RocksPartition(tmp_path / "t-0")
    first.write({b"Sa": b"1"}, 5)
    first.close()
    second = RocksPartition(tmp_path / "t-0")
    assert second.get(b"Sa") == b"1"
    assert second.changelog_offset() == 5
    second.close()


def test_two_workers_on_one_data_directory_are_told_so(tmp_path: Path) -> None:
    first = RocksPartition(tmp_path / "t-0")
    with pytest.raises(StoreInUseError, match="give every worker its own EVCHARGE_DATA_DIR"):
        RocksPartition(tmp_path / "t-0")
    first.close()
