"""The rows that steps used last, so that they need not ask RocksDB again: bounded in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat

ENTRY_BYTES = 170
"""Of an entry beyond its key and row, measured: two bytes objects and their place in a dictionary."""

JUDGED_ROWS = 50_000
"""So many rows put tell whether the cache is large enough."""

ADMITTING = 8
"""Of so many puts one brings in unknown rows, while the cache is too small for the rows in use."""


class RowCache:
    """One bound in bytes for the cached rows of all partitions of a worker.

    Two generations: what was put is young. When the young rows need half of the bound, they become old,
    and what was old and was not put since is forgotten.

    If most rows that are asked for are not here, far more are in use than there is room for. Then most
    unknown rows are not let in: to replace one that is as likely to be used would only cost.

    Rows are kept as bytes, not decoded. Python's garbage collector walks over decoded states again and
    again, which costs more than decoding them, and they need three times the memory.
    """

    def __init__(self, max_bytes: int) -> None:
        """``max_bytes`` may be exceeded by what one put brings."""
        self._half_bytes = max_bytes // 2
        self._partitions: set[CachedRows] = set()
        self._young_bytes = self._old_bytes = 0
        self._put_rows = 0
        self.missed_rows = 0
        self.choosy = False
        """Whether the cache is too small for the rows in use."""

    @property
    def used_bytes(self) -> int:
        """About how much memory the rows need."""
        return self._young_bytes + self._old_bytes

    def partition(self) -> CachedRows:
        """Return the place for the rows of one more partition."""
        rows = CachedRows(self)
        self._partitions.add(rows)
        return rows

    def drop(self, rows: CachedRows) -> None:
        """Forget all rows of a partition, at once."""
        self._partitions.discard(rows)
        self._young_bytes -= rows.young_bytes
        self._old_bytes -= rows.old_bytes
        rows.clear()

    def count(self, rows: int, growth_bytes: int) -> None:
        """Take note of a put."""
        self._put_rows += rows
        self._young_bytes += growth_bytes
        if self._young_bytes > self._half_bytes:
            for partition in self._partitions:
                partition.grow_old()
            self._young_bytes, self._old_bytes = 0, self._young_bytes
        if self._put_rows > JUDGED_ROWS:
            self.choosy = self.missed_rows > self._put_rows // 2 and self._old_bytes > 0
            self._put_rows = self.missed_rows = 0


class CachedRows:
    """The cached rows of one partition."""

    __slots__ = ("_cache", "_old", "_puts", "_young", "old_bytes", "young_bytes")

    def __init__(self, cache: RowCache) -> None:
        self._cache = cache
        self._puts = 0
        self.clear()

    def clear(self) -> None:
        """Forget all rows."""
        self._young: dict[bytes, bytes] = {}
        self._old: dict[bytes, bytes] = {}
        self.young_bytes = self.old_bytes = 0

    def get(self, key: bytes) -> bytes | None:
        """Return a row's newest value, ``None`` if it is not cached: it may exist all the same."""
        row = self._young.get(key)
        if row is None:
            row = self._old.get(key)
            if row is None:
                self._cache.missed_rows += 1
        return row

    def put(self, rows: Mapping[bytes, bytes]) -> None:
        """Take the newest values of rows, of known ones always."""
        young, put_rows, growth = self._young, len(rows), 0
        self._puts += 1
        if self._cache.choosy and self._puts % ADMITTING:
            old = self._old
            rows = {key: row for key, row in rows.items() if key in young or key in old}
        if rows:
            growth = sum(map(len, rows.values())) - sum(map(len, map(young.get, rows, repeat(b""))))
            before = len(young)
            young.update(rows)
            growth += (len(young) - before) * (ENTRY_BYTES + len(next(iter(rows))))
            self.young_bytes += growth
        self._cache.count(put_rows, growth)

    def grow_old(self) -> None:
        """Forget the old rows and take the young ones for old."""
        self._old, self._young = self._young, {}
        self.old_bytes, self.young_bytes = self.young_bytes, 0
