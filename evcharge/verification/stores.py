"""Whether the local rows of a stopped worker are those of the changelog, as far as they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rocksdict import AccessType, Options, Rdict

from evcharge.errors import CommandError
from evcharge.settings import Settings
from evcharge.storage.partition_store import RESERVED, source_marker
from evcharge.verification.report import Report
from evcharge.verification.rows import is_of_table

TABLES = "station-status", "charging-sessions"

_POSITION = RESERVED + b"changelog"
"""The row that says up to which changelog offset a store is complete."""


class LocalStore(NamedTuple):
    """One partition of one table in a worker's data directory."""

    path: Path
    rows: Mapping[bytes, bytes]
    position: int
    """The changelog offset up to which it is complete, -1 if it never held a row."""


class StoreComparison:
    """Compares a store with the rows that a changelog led to, when the reader comes to its offset.

    Compaction may have removed from the changelog what a row was at that offset, but only if the same
    key was written again behind it: so a row that is not found has to come up later.
    """

    def __init__(self, store: LocalStore, sources: Sequence[str], report: Report) -> None:
        """``sources`` are the full names of the topics whose markers are among the rows."""
        self.position = store.position
        self._where = str(store.path)
        self._rows = store.rows
        self._markers = {source_marker(topic) for topic in sources}
        self._report = report
        self._undecided: set[bytes] = set()

    def compare(self, rows: Mapping[bytes, bytes]) -> None:
        """Compare with the rows of the changelog up to the store's offset."""
        for key, value in rows.items():
            if not self._counts(key):
                continue
            self._report.compared["rows of stores"] += 1
            found = self._rows.get(key)
            if found is None:
                self._report.differs(self._where, "missing", f"row {key!r}")
            elif found != value:
                self._report.differs(self._where, "changed", f"row {key!r}")
        self._undecided = {key for key in self._rows if self._counts(key) and key not in rows}

    def came_later(self, key: bytes) -> None:
        """Take note of a key that was written behind the store's offset."""
        self._undecided.discard(key)

    def finish(self) -> None:
        """Note the rows that the changelog never had."""
        for key in self._undecided:
            self._report.differs(self._where, "surplus", f"row {key!r}")

    def _counts(self, key: bytes) -> bool:
        return is_of_table(key) or key in self._markers


def open_stores(directory: Path, table: str, partition: int) -> Iterator[LocalStore]:
    """Yield the stores of a table partition below a data directory; nothing in it is changed.

    Raises:
        CommandError: one cannot be read.
    """
    for found in _stores(directory, table, partition):
        yield _read(found)


def require_stores(directory: Path, settings: Settings) -> None:
    """Check that there is anything to compare below a data directory.

    Raises:
        CommandError: there is not.
    """
    numbers = range(settings.partitions)
    if not any(_stores(directory, table, n) for table in TABLES for n in numbers):
        raise CommandError(
            f"{directory} holds no rows of {' or '.join(TABLES)}: it should be the EVCHARGE_DATA_DIR of"
            " a worker that had partitions"
        )


def _stores(directory: Path, table: str, partition: int) -> list[Path]:
    """Return where the stores of a table partition are."""
    found = sorted(directory.rglob(f"{table}-{partition}"))
    return [each for each in found if (each / "CURRENT").exists()]


def _read(path: Path) -> LocalStore:
    try:
        store = Rdict(str(path), Options(raw_mode=True), access_type=AccessType.read_only())
    except Exception as problem:  # noqa: BLE001 - RocksDB raises nothing narrower
        raise CommandError(f"{path} cannot be read: {problem}") from None
    try:
        items: Any = store.items()
        rows: dict[bytes, bytes] = dict(items)
    finally:
        store.close()
    position = rows.get(_POSITION)
    return LocalStore(path, rows, -1 if position is None else int.from_bytes(position, "big"))
