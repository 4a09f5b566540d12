"""Faust's view of a table's local storage: which partitions are open here, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from faust.stores.base import Store
from faust.types import TP, EventT

from evcharge.storage.partition_store import (
    MemoryPartition,
    PartitionStore,
    table_keys,
)
from evcharge.storage.rocks_partition import RocksPartition


class PartitionedStore(Store[bytes, bytes]):
    """One :class:`PartitionStore` for each partition: RocksDB, or memory for ``memory://``."""

    def __post_init__(self) -> None:
        self._open: dict[int, PartitionStore] = {}

    def partition(self, number: int) -> PartitionStore:
        """Return a partition, opened if it was not."""
        store = self._open.get(number)
        if store is None:
            store = self._open[number] = self._new_partition(number)
        return store

    def partitions(self) -> dict[int, PartitionStore]:
        """Return the open partitions by number."""
        return dict(self._open)

    def close_partition(self, number: int) -> None:
        """Close a partition that left this worker; its files stay for its return."""
        store = self._open.pop(number, None)
        if store is not None:
            store.close()

    def _new_partition(self, number: int) -> PartitionStore:
        if self.url.scheme == "memory":
            return MemoryPartition()
        return RocksPartition(Path(self.app.conf.tabledir) / f"{self.table_name}-{number}")

    async def on_stop(self) -> None:
        """Close every partition."""
        for number in list(self._open):
            self.close_partition(number)

    # -- what Faust asks of a store

    def persisted_offset(self, tp: TP) -> int | None:
        """Return the changelog offset up to which a partition is complete."""
        return self.partition(tp.partition).changelog_offset()

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """Refuse: a position is only ever written together with the rows that it covers."""
        raise TypeError(f"position {offset} of {tp} must be written with its rows")

    def apply_changelog_batch(
        self,
        batch: Iterable[EventT[Any]],
        to_key: Callable[[Any], bytes],
        to_value: Callable[[Any], bytes],
    ) -> None:
        """Refuse: restoring is the lane's (``recovery.py``)."""
        raise TypeError("tables are restored by evcharge.engine.recovery")

    async def backup_partition(
        self, tp: TP | int, flush: bool = True, purge: bool = False, keep: int = 1
    ) -> None:
        """Refuse: the changelog is the backup."""
        raise NotImplementedError("the changelog in Kafka is the backup of a table")

    def restore_backup(self, tp: TP | int, latest: bool = True, backup_id: int = 0) -> None:
        """Refuse: the changelog is the backup."""
        raise NotImplementedError("the changelog in Kafka is the backup of a table")

    def reset_state(self) -> None:
        """Remove the rows of the open partitions (``faust reset``)."""
        for store in self._open.values():
            store.clear()

    def __getitem__(self, key: bytes) -> bytes:
        for store in self._open.values():
            value = store.get(key)
            if value is not None:
                return value
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and any(s.get(key) is not None for s in self._open.values())

    def __iter__(self) -> Iterator[bytes]:
        for store in self._open.values():
            yield from table_keys(key for key, _ in store.scan(b""))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise TypeError("rows are written by the lane")

    def __delitem__(self, key: bytes) -> None:
        raise TypeError("rows are written by the lane")
