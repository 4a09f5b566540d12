"""The checker of local rows: equal to the changelog as far as they go, compacted or not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from evcharge.errors import CommandError
from evcharge.settings import Settings
from evcharge.storage.partition_store import Marker, source_marker
from evcharge.storage.rocks_partition import RocksPartition
from evcharge.verification.changelog import Rebuilt
from evcharge.verification.report import Report
from evcharge.verification.rows import Rows, check_markers
from evcharge.verification.stores import StoreComparison, open_stores, require_stores

SOURCE = "p.station-status"
MARKER = source_marker(SOURCE)


class Record(NamedTuple):
    """One record of a changelog."""

    offset: int
    key: bytes
    value: bytes | None


LOG = [
    Record(0, b"\0history", b"name"),
    Record(1, b"Sa", b"1"),
    Record(2, b"Sb", b"1"),
    Record(3, MARKER, Marker(10, 5).encode()),
    Record(5, b"Sa", b"2"),
    Record(6, b"Sb", None),
    Record(7, b"Sc", b"1"),
    Record(8, MARKER, Marker(20, 6).encode()),
]
AT_3 = {b"Sa": b"1", b"Sb": b"1", MARKER: Marker(10, 5).encode()}
AT_END = {b"Sa": b"2", b"Sc": b"1", MARKER: Marker(20, 6).encode()}


def found(
    directory: Path, rows: dict[bytes, bytes], position: int, log: Iterable[Record] = LOG
) -> list[str]:
    """Return what is found in a database of these rows."""
    database = RocksPartition(directory / "v1" / "tables" / "station-status-3")
    database.write(rows, position)
    database.close()
    report = Report()
    [store] = open_stores(directory, "station-status", 3)
    rebuilt = Rebuilt([StoreComparison(store, [SOURCE], report)])
    for record in log:
        rebuilt.apply([record])
    rebuilt.finish()
    return sorted(sort for _, sort in report.differences.elements())


@pytest.mark.parametrize("position", [8, 9])
def test_rows_of_the_whole_changelog_are_equal(tmp_path: Path, position: int) -> None:
    assert found(tmp_path, AT_END, position) == []


@pytest.mark.parametrize("position", [3, 4])
def test_rows_of_a_part_of_the_changelog_are_equal(tmp_path: Path, position: int) -> None:
    assert found(tmp_path, AT_3, position) == []


def test_rows_that_are_behind_their_position_are_found(tmp_path: Path) -> None:
    # Sa changed, the marker changed, Sc missing, Sb surplus
    assert found(tmp_path, AT_3, 8) == ["changed", "changed", "missing", "surplus"]


def test_rows_that_are_ahead_of_their_position_are_found(tmp_path: Path) -> None:
    assert "changed" in found(tmp_path, AT_END, 3)


def test_a_row_that_the_changelog_never_had_is_found(tmp_path: Path) -> None:
    assert found(tmp_path, AT_3 | {b"Sx": b"1"}, 3) == ["surplus"]


def test_a_missing_marker_is_found(tmp_path: Path) -> None:
    rows = {key: value for key, value in AT_END.items() if key != MARKER}

    assert found(tmp_path, rows, 8) == ["missing"]


def test_what_compaction_removed_is_not_missed(tmp_path: Path) -> None:
    last = {record.key: record for record in LOG}
    compacted = [record for record in LOG if last[record.key] is record]

    assert found(tmp_path, AT_3, 3, compacted) == []


def test_a_row_that_compaction_left_is_still_compared(tmp_path: Path) -> None:
    log = [*LOG[:3], Record(3, b"Sd", b"1"), *LOG[4:]]

    assert found(tmp_path, {**AT_3, b"Sd": b"2"}, 3, [each for each in log if each.key != b"Sa"])


def test_the_engines_own_rows_are_not_compared(tmp_path: Path) -> None:
    assert found(tmp_path, AT_END | {b"\0fence": b"7"}, 8) == []


def test_a_directory_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "station-status-3"
    broken.mkdir()
    (broken / "CURRENT").write_text("nothing\n")

    with pytest.raises(CommandError, match="cannot be read"):
        list(open_stores(tmp_path, "station-status", 3))


def test_a_marker_that_is_not_at_the_end_of_its_source_is_found() -> None:
    rows = {MARKER: Marker(10, 5).encode()}
    for last, equal in ((Marker(10, 5), True), (Marker(11, 5), False), (None, False)):
        report = Report()
        check_markers("here", Rows(rows), [(SOURCE, last)], report)
        assert report.equal == equal
    report = Report()
    check_markers("here", Rows({}), [(SOURCE, Marker(0, 1)), ("other", None)], report)
    assert list(report.differences) == [("here", "not at the end of its source")]


def test_a_directory_without_anything_to_compare_is_refused(tmp_path: Path) -> None:
    settings = Settings(partitions=4)
    # given something of the right name that is no database, and a database of another number
    (tmp_path / "tables" / "station-status-3").mkdir(parents=True)
    RocksPartition(tmp_path / "tables" / "station-status-4").close()
    with pytest.raises(CommandError, match="holds no rows of station-status or charging-sessions"):
        require_stores(tmp_path, settings)
    RocksPartition(tmp_path / "tables" / "charging-sessions-3").close()
    require_stores(tmp_path, settings)
