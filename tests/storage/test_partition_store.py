"""A partition's rows on local storage, the same in memory and in RocksDB."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from rocksdict import DbClosedError

from evcharge.storage.errors import StoreInUseError
from evcharge.storage.partition_store import (
    Marker,
    MemoryPartition,
    PartitionStore,
    source_marker,
)
from evcharge.storage.rocks_partition import LARGEST_PAGE, RocksPartition
from tests.storage.killed import kill_after


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


@pytest.mark.parametrize("append_ms", [-(2**63), -1, 0, 1_700_000_000_000, 2**63 - 1])
def test_a_marker_keeps_any_time_that_a_record_can_have(append_ms: int) -> None:
    marker = Marker(2**63 - 1, append_ms)
    assert Marker.decode(marker.encode()) == marker


def test_a_marker_is_two_numbers_of_eight_bytes() -> None:
    """Rows of earlier releases have to be read."""
    assert Marker(41, 7).encode() == bytes([*[0] * 7, 41, *[0] * 7, 7])


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


def test_a_scan_of_many_rows_yields_each_of_them_once(store: PartitionStore) -> None:
    rows = {b"S%05d" % number: b"%d" % number for number in range(LARGEST_PAGE * 3)}
    store.write({**rows, b"R": b"before", b"T": b"behind"}, 0)
    assert list(store.scan(b"S")) == sorted(rows.items())
    assert len(list(store.scan(b"S", b"S00340"))) == len(rows) - 341


def test_restored_rows_are_read_like_others_and_more_can_be_written(store: PartitionStore) -> None:
    store.write({b"Sa": b"1", b"Sb": b"1"}, 0)
    store.begin_restore()
    store.write({b"Sa": b"2"}, 1)
    assert store.get_many([b"Sa", b"Sb"]) == [b"2", b"1"]
    store.end_restore()
    store.write({b"Sb": b"3"}, 2)
    assert list(store.scan(b"S")) == [(b"Sa", b"2"), (b"Sb", b"3")]
    assert store.changelog_offset() == 2


def test_a_scan_left_in_the_middle_keeps_nothing_of_a_closed_database(tmp_path: Path) -> None:
    first = RocksPartition(tmp_path / "t-0")
    first.write({b"S%d" % number: b"" for number in range(9)}, 0)
    scan = first.scan(b"S")
    next(scan)
    first.close()
    # when the partition comes back
    second = RocksPartition(tmp_path / "t-0")
    # then it can be opened, and whoever reads on is told that it was closed
    assert second.get(b"S8") == b""
    with pytest.raises(DbClosedError):
        list(scan)
    second.close()


def restore_some(store: RocksPartition, restored: int) -> None:
    store.write({b"S-before": b"x" * 500}, 0)
    store.begin_restore()
    for offset in range(1, restored):
        store.write({b"S%06d" % offset: b"x" * 500}, offset)


@pytest.mark.parametrize("restored", [10, 40_000])
def test_a_crash_within_a_restore_leaves_rows_of_an_earlier_moment(
    tmp_path: Path, restored: int
) -> None:
    kill_after(partial(restore_some, restored=restored), tmp_path / "t-0")
    left = RocksPartition(tmp_path / "t-0")
    position = left.changelog_offset()
    assert position is not None
    assert sum(1 for _ in left.scan(b"S")) == position + 1
    left.close()


def restore_and_go_on(store: RocksPartition) -> None:
    store.begin_restore()
    store.write({b"Sa": b"1"}, 7)
    store.end_restore()
    store.write({b"Sb": b"1"}, 8)


def test_a_restore_that_was_ended_outlives_a_crash(tmp_path: Path) -> None:
    kill_after(restore_and_go_on, tmp_path / "t-0")
    left = RocksPartition(tmp_path / "t-0")
    assert (left.changelog_offset(), left.get(b"Sa"), left.get(b"Sb")) == (8, b"1", b"1")
    left.close()


def test_rocksdb_rows_survive_a_restart(tmp_path: Path) -> None:
    first = RocksPartition(tmp_path / "t-0")
    first.write({b"Sa": b"1"}, 5)
    first.close()
    second = RocksPartition(tmp_path / "t-0")
    assert second.get(b"Sa") == b"1"
    assert second.changelog_offset() == 5
    second.close()


def test_a_database_that_exists_is_opened_with_the_options_of_a_new_one(tmp_path: Path) -> None:
    RocksPartition(tmp_path / "t-0").close()
    new = _options_in_use(tmp_path / "t-0")

    RocksPartition(tmp_path / "t-0").close()

    assert "filter_policy=bloomfilter" in new
    assert _options_in_use(tmp_path / "t-0") == new


def _options_in_use(path: Path) -> str:
    """Return what RocksDB wrote down of the options when the database was opened last."""
    last = max(path.glob("OPTIONS-*"), key=lambda each: int(each.name.rpartition("-")[2]))
    return last.read_text(encoding="utf-8")


def test_two_workers_on_one_data_directory_are_told_so(tmp_path: Path) -> None:
    first = RocksPartition(tmp_path / "t-0")
    with pytest.raises(StoreInUseError, match="give every worker its own EVCHARGE_DATA_DIR"):
        RocksPartition(tmp_path / "t-0")
    first.close()
