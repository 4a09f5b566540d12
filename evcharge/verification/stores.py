"""Whether the local rows of a stopped worker are those of the changelog, as far as they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rocksdict import AccessType, Options, Rdict

from evcharge.errors import CommandError
from evcharge.settings import Settings
from evcharge.storage.partition_store import (
    CHANGELOG_POSITION,
    HISTORY,
    TOUCHED,
    source_marker,
    was_in_touch,
)
from evcharge.storage.rocks_partition import DAMAGED
from evcharge.topics.catalogue import TABLES
from evcharge.verification.report import Report
from evcharge.verification.rows import is_of_table

_DROPPED = "stores that are dropped at the next start"


class LocalStore(NamedTuple):
    """One partition of one table in a worker's data directory."""

    path: Path
    rows: Mapping[bytes, bytes]
    position: int
    """The changelog offset up to which it is complete, -1 if it never held a row."""

    def is_of(self, history: bytes | None) -> bool:
        """Whether its rows, if any, are of a changelog of this name."""
        return self.position < 0 or self.rows.get(HISTORY) == history

    def was_in_touch(self, now_ms: int) -> bool:
        """Whether all that it lacks of its changelog is there still, deletions too."""
        return self.position < 0 or was_in_touch(self.rows.get(TOUCHED), now_ms)


class StoreComparison:
    """Compares a store with the rows that a changelog led to, when the reader comes to its offset.

    Compaction may have removed from the changelog what a row was at that offset, but only if the same
    key was written or deleted behind it: so a row that is not found has to come up later.

    Deletions are removed too, a day later. So a store that was out of touch for longer is not compared,
    nor one of another history: a worker believes neither, and drops both at its next start.
    """

    def __init__(
        self, store: LocalStore, sources: Sequence[str], report: Report, now_ms: int
    ) -> None:
        """``sources`` are the full names of the topics whose markers are among the rows."""
        self.position = store.position
        self._store = store
        self._markers = {source_marker(topic) for topic in sources}
        self._report = report
        self._was_in_touch = store.was_in_touch(now_ms)
        self._is_dropped = False
        self._compared = 0
        self._different: list[tuple[str, bytes]] = []
        self._undecided: set[bytes] = set()

    def compare(self, rows: Mapping[bytes, bytes], history: bytes | None) -> None:
        """Compare with the rows of the changelog up to the store's offset, and with its name."""
        self._is_dropped = not self._store.is_of(history)
        own = self._store.rows
        for key, value in rows.items():
            if not self._counts(key):
                continue
            self._compared += 1
            found = own.get(key)
            if found != value:
                self._different.append(("missing" if found is None else "changed", key))
        self._undecided = {key for key in own if self._counts(key) and key not in rows}

    def came_later(self, key: bytes) -> None:
        """Take note of a key that was written behind the store's offset."""
        self._undecided.discard(key)
        if self._counts(key) and not self._was_in_touch:
            self._is_dropped = True

    def finish(self) -> None:
        """Note what differs, also the rows that the changelog never had."""
        if self._is_dropped:
            self._report.unchecked[_DROPPED] += 1
            return
        self._report.compared["rows of stores"] += self._compared
        self._different += [("surplus", key) for key in self._undecided]
        for sort, key in self._different:
            self._report.differs(str(self._store.path), sort, f"row {key!r}")

    def _counts(self, key: bytes) -> bool:
        return is_of_table(key) or key in self._markers


def open_stores(
    directory: Path, table: str, partition: int, report: Report
) -> Iterator[LocalStore]:
    """Yield the stores of a table partition below a data directory; nothing in it is changed.

    One that a worker has found to be damaged is only counted.

    Raises:
        CommandError: one cannot be read.
    """
    for found in _stores(directory, table, partition):
        if (found / DAMAGED).exists():
            report.unchecked[_DROPPED] += 1
        else:
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
    position = rows.get(CHANGELOG_POSITION)
    return LocalStore(path, rows, -1 if position is None else int.from_bytes(position, "big"))
