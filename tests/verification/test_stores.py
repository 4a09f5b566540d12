"""The checker of local rows: equal to the changelog as far as they go, compacted or not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from evcharge.errors import CommandError
from evcharge.settings import Settings
from evcharge.storage.partition_store import (
    HISTORY,
    TOUCHED,
    TRUSTED_MS,
    Marker,
    source_marker,
)
from evcharge.storage.rocks_partition import DAMAGED, RocksPartition
from evcharge.verification.changelog import Rebuilt
from evcharge.verification.report import Report
from evcharge.verification.rows import Rows, check_markers
from evcharge.verification.stores import StoreComparison, open_stores, require_stores

SOURCE = "p.station-status"
MARKER = source_marker(SOURCE)
NOW_MS = 1_700_000_000_000


class Record(NamedTuple):
    """One record of a changelog."""

    offset: int
    key: bytes
    value: bytes | None


LOG = [
    Record(0, HISTORY + b"name", b"worker-1"),
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


def checked(
    directory: Path,
    rows: dict[bytes, bytes],
    position: int,
    log: Iterable[Record] = LOG,
    *,
    history: bytes = b"name",
    away_ms: int = TRUSTED_MS - 1,
) -> Report:
    """Return what is found in a database of these rows that was in touch some time ago."""
    database = RocksPartition(directory / "v1" / "tables" / "station-status-3")
    engines = {HISTORY: history, TOUCHED: (NOW_MS - away_ms).to_bytes(8, "big")}
    database.write(rows | engines, position)
    database.close()
    report = Report()
    [store] = open_stores(directory, "station-status", 3, report)
    rebuilt = Rebuilt([StoreComparison(store, [SOURCE], report, NOW_MS)])
    for record in log:
        rebuilt.apply([record])
    rebuilt.finish()
    return report


def found(
    directory: Path, rows: dict[bytes, bytes], position: int, log: Iterable[Record] = LOG
) -> list[str]:
    """Return what is found in a database of these rows, which its worker believes."""
    report = checked(directory, rows, position, log)
    assert not report.unchecked
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


DROPPED = {"stores that are dropped at the next start": 1}


def test_a_row_whose_deletion_compaction_has_removed_is_in_no_store_that_is_believed(
    tmp_path: Path,
) -> None:
    # given a store with Sb, which was deleted behind its offset, days ago
    log = [each for each in LOG if each.key != b"Sb"]
    assert found(tmp_path, AT_3, 3, log) == ["surplus"]

    report = checked(tmp_path, AT_3, 3, log, away_ms=TRUSTED_MS)

    assert (report.equal, report.unchecked) == (True, DROPPED)
    assert not report.compared


def test_a_store_that_was_away_while_nothing_was_written_is_compared(tmp_path: Path) -> None:
    fences = [*LOG, Record(9, b"\0fence", b"worker-1")]
    report = checked(tmp_path, AT_END | {b"Sx": b"1"}, 8, fences, away_ms=TRUSTED_MS)

    assert [sort for _, sort in report.differences] == ["surplus"]
    assert not report.unchecked


def test_a_store_of_another_history_is_not_compared(tmp_path: Path) -> None:
    report = checked(tmp_path, {b"Sx": b"1"}, 3, history=b"another")

    assert (report.equal, report.unchecked) == (True, DROPPED)
    # nor is one beside a changelog without a name, or that is empty
    assert checked(tmp_path, AT_END, 8, LOG[1:]).unchecked == DROPPED
    assert checked(tmp_path, AT_END, 8, []).unchecked == DROPPED


def test_a_store_that_was_found_to_be_damaged_is_not_read(tmp_path: Path) -> None:
    broken = tmp_path / "station-status-3"
    broken.mkdir()
    for file in "CURRENT", DAMAGED:
        (broken / file).write_text("nothing\n")
    report = Report()

    assert list(open_stores(tmp_path, "station-status", 3, report)) == []
    assert report.unchecked == DROPPED


def test_an_empty_store_is_as_good_as_none(tmp_path: Path) -> None:
    RocksPartition(tmp_path / "station-status-3").close()
    report = Report()
    [store] = open_stores(tmp_path, "station-status", 3, report)
    rebuilt = Rebuilt([StoreComparison(store, [SOURCE], report, NOW_MS)])
    rebuilt.apply(LOG)
    rebuilt.finish()

    assert (report.equal, report.unchecked) == (True, {})


def test_the_engines_own_rows_are_not_compared(tmp_path: Path) -> None:
    assert found(tmp_path, AT_END | {b"\0fence": b"7"}, 8) == []


def test_a_directory_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "station-status-3"
    broken.mkdir()
    (broken / "CURRENT").write_text("nothing\n")

    with pytest.raises(CommandError, match="cannot be read"):
        list(open_stores(tmp_path, "station-status", 3, Report()))


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
