"""Rebuilds a table partition from its changelog: the last value of each key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evcharge.storage.partition_store import HISTORY
from evcharge.verification.stores import StoreComparison


class Rebuilt:
    """Takes up the records of a changelog partition in order."""

    def __init__(self, stores: Sequence[StoreComparison] = ()) -> None:
        """``stores`` are compared with the rows as they were where each store stands."""
        self.rows: dict[bytes, bytes] = {}
        self._history: bytes | None = None
        """The name in the key of the first record, empty if that is none; None: there is no record."""
        self._ahead = sorted(stores, key=lambda store: store.position)
        self._behind: list[StoreComparison] = []

    def apply(self, records: Sequence[Any]) -> None:
        """Take up the next records."""
        for record in records:
            if self._history is None:
                name = record.key.removeprefix(HISTORY)
                self._history = b"" if name == record.key else name
            self._compare_before(record.offset)
            if record.value is None:
                self.rows.pop(record.key, None)
            else:
                self.rows[record.key] = record.value
            for store in self._behind:
                store.came_later(record.key)

    def finish(self) -> None:
        """That was all."""
        self._compare_before(None)
        for store in self._behind:
            store.finish()

    def _compare_before(self, offset: int | None) -> None:
        while self._ahead and (offset is None or self._ahead[0].position < offset):
            store = self._ahead.pop(0)
            store.compare(self.rows, self._history)
            self._behind.append(store)
