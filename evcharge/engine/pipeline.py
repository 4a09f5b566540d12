"""Makes the steps of one table partition durable, in order, while the next ones are computed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from evcharge.engine.local_rows import touched
from evcharge.engine.row_cache import CachedRows
from evcharge.kafka.batches import MAX_BATCH_BYTES
from evcharge.kafka.log import Output, Writer
from evcharge.storage.partition_store import Marker, PartitionStore, Rows, source_marker

BATCH_ROWS_BYTES = MAX_BATCH_BYTES * 9 // 10
"""Steps beyond it wait for the next write: one record batch costs least; the rest is for the markers."""


@dataclass(slots=True)
class Effects:
    """What one step did: rows of the table, records for other topics, and up to where it read."""

    source_topic: str
    marker: Marker
    """The last record that was read."""
    rows: dict[bytes, bytes | None] = field(default_factory=dict)
    states: dict[bytes, bytes] = field(default_factory=dict)
    """Those of the rows that the next steps are likely to read; they are never deleted."""
    outputs: list[Output] = field(default_factory=list)
    on_durable: list[Callable[[], object]] = field(default_factory=list)
    """Called in order when everything is durable: counts, acknowledges the source."""

    @property
    def size(self) -> int:
        """Bytes of the rows, about as many as in a record batch."""
        rows = self.rows
        return 16 * len(rows) + sum(map(len, rows)) + sum(map(len, filter(None, rows.values())))


class Pipeline:
    """The single writer of one table partition.

    ``on_durable`` is called with what became durable together, and the changelog offset of its last row.
    Reads see the rows of all steps handed in so far, durable or not; nobody but the steps of this
    partition reads through here.
    """

    def __init__(
        self,
        changelog: str,
        partition: int,
        store: PartitionStore,
        writer: Writer,
        on_durable: Callable[[int, Rows], object],
        on_failure: Callable[[str, BaseException], object],
        cached: CachedRows,
    ) -> None:
        self.changelog = changelog
        self.partition = partition
        self.store = store
        self._writer = writer
        self._on_durable = on_durable
        self._on_failure = on_failure
        self._pending: list[Effects] = []
        self._pending_rows: dict[bytes, bytes | None] = {}
        """The rows of all of them."""
        self._writing_rows: dict[bytes, bytes | None] = {}
        """Those of the steps that are being written."""
        self._applied: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._cached = cached

    def applied_offset(self, source_topic: str) -> int:
        """Return the last offset of a source that was computed here, -1 if there was none."""
        offset = self._applied.get(source_topic)
        if offset is None:
            marker = self.store.marker(source_topic)
            offset = self._applied[source_topic] = -1 if marker is None else marker.offset
        return offset

    def forget_source(self, source_topic: str) -> None:
        """Take a source as never read: its topic was created anew and counts from 0 again."""
        self._applied[source_topic] = -1

    # -- reads of the steps

    def get(self, key: bytes) -> bytes | None:
        """Return a row as the steps so far left it."""
        # What is cached is the newest: a step's states replace what is known of them there.
        row = self._cached.get(key)
        if row is not None:
            return row
        if key in self._pending_rows:
            return self._pending_rows[key]
        if key in self._writing_rows:
            return self._writing_rows[key]
        return self.store.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return many rows as the steps so far left them."""
        found = self.store.get_many(keys)
        for rows in (self._writing_rows, self._pending_rows):
            if rows:
                found = [rows.get(k, v) for k, v in zip(keys, found, strict=True)]
        return found

    # -- writes

    def submit(self, effects: Effects) -> None:
        """Take over the effects of a finished step; they become durable soon, in order."""
        self._applied[effects.source_topic] = effects.marker.offset
        self._pending_rows.update(effects.rows)
        self._cached.put(effects.states)
        self._pending.append(effects)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write_all())

    async def drained(self) -> None:
        """Return when everything submitted is durable."""
        while self._task is not None:
            await asyncio.shield(self._task)

    async def _write_all(self) -> None:
        try:
            while self._pending:
                await self._write(self._take())
        except asyncio.CancelledError:
            raise
        except BaseException as problem:
            self._on_failure(
                f"partition {self.partition} of {self.changelog} could not be made durable: {problem}",
                problem,
            )
            raise
        finally:
            self._task = None

    def _take(self) -> list[Effects]:
        """Take the pending steps that fit one record batch, at least one, and their rows."""
        size, taken = 0, len(self._pending)
        # How large a single one is changes nothing.
        for number, step in enumerate(self._pending if taken > 1 else ()):
            size += step.size
            if number and size > BATCH_ROWS_BYTES:
                taken = number
                break
        steps, self._pending = self._pending[:taken], self._pending[taken:]
        if self._pending:
            self._writing_rows, self._pending_rows = _rows_of(steps), _rows_of(self._pending)
        else:
            self._writing_rows, self._pending_rows = self._pending_rows, {}
        return steps

    async def _write(self, steps: Sequence[Effects]) -> None:
        rows = self._writing_rows
        written = rows.copy()
        outputs: list[Output] = []
        for step in steps:
            outputs.extend(step.outputs)
            written[source_marker(step.source_topic)] = step.marker.encode()
        offset = await self._writer.write(written.items(), outputs)
        written.update(touched(time.time_ns() // 1_000_000))
        self.store.write(written, offset)
        self._writing_rows = {}
        for step in steps:
            for call in step.on_durable:
                call()
        self._on_durable(offset, rows)


def _rows_of(steps: Sequence[Effects]) -> dict[bytes, bytes | None]:
    rows: dict[bytes, bytes | None] = {}
    for step in steps:
        rows.update(step.rows)
    return rows
