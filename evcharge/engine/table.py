"""A Faust table whose rows are written by the lane, one atomic batch for each chunk."""

from __future__ import annotations

from typing import Any, NoReturn

import faust

from evcharge.engine.store import PartitionedStore
from evcharge.storage.partition_store import PartitionStore


class StateTable(faust.Table[bytes, bytes]):
    """Rows of bytes in one store for each partition, complete up to a changelog offset.

    Faust assigns the partitions, names the changelog and routes; it neither writes nor restores:
    the lane does, so that the rows of a chunk and the offset that they cover are one.
    """

    def __init__(self, app: faust.App, *, name: str, **kwargs: Any) -> None:
        kwargs.setdefault("key_type", bytes)
        kwargs.setdefault("value_type", bytes)
        super().__init__(app, name=name, **kwargs)

    def _new_store(self) -> PartitionedStore:
        return PartitionedStore(
            self._store or self.app.conf.store, self.app, self, table_name=self.name, loop=self.loop
        )

    async def on_start(self) -> None:
        """Open nothing yet: partitions are opened when they are assigned.

        Faust would create the changelog here with settings of its own; ``evcharge.topics`` has
        created it before the worker joins the group.
        """
        await self.add_runtime_dependency(self.data)

    @property
    def store(self) -> PartitionedStore:
        """The partitions of this worker."""
        store = self.data
        assert isinstance(store, PartitionedStore)
        return store

    @property
    def changelog_topic_name(self) -> str:
        """Full name of the changelog topic."""
        return self.changelog_topic.get_topic_name()

    def partition(self, number: int) -> PartitionStore:
        """Return the store of a partition, opened if it was not."""
        return self.store.partition(number)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(f"table {self.name} is written by its agent's steps only")

    def __delitem__(self, key: Any) -> NoReturn:
        raise TypeError(f"table {self.name} is written by its agent's steps only")
