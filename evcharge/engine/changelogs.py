"""Reads changelogs: takes them over and brings local rows up to them, follows those of other workers.

A take-over begins with the fence: the writer of the partition shuts out whoever wrote it before and
appends a row. All that will ever be before it is there then, and is read up to it.

Changelogs of other workers are followed for as long as they are theirs (standby): when one of those
workers is gone, little is left to read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import aiokafka
from aiokafka.structs import TopicPartition

from evcharge.engine.changelog_reader import ChangelogReader, Stores
from evcharge.engine.local_rows import (
    FENCE,
    belong,
    lately_in_touch,
    name_in,
    naming_row,
    touched,
)
from evcharge.kafka.closing import started
from evcharge.kafka.log import Writer
from evcharge.kafka.records_at import records_at
from evcharge.storage.partition_store import HISTORY, PartitionStore

logger = logging.getLogger(__name__)

LARGE_GAP = 20_000
"""Offsets to read from which on a store is told that it is restored: the end of that takes time."""

FOLLOW_EVERY_S, FOLLOW_SELDOM_S = 1.0, 5.0
FOLLOW_ROWS_A_S = 6_000
"""Rows of others that are looked at for a second's pause: about 3 % of the time of a worker. Rows that
change again between two looks are written once, so looking less often is less work."""


class Changelogs:
    """The changelog partitions of a worker, read with one consumer."""

    def __init__(
        self,
        bootstrap: Sequence[str],
        client_id: str,
        on_failure: Callable[[str, BaseException], object],
    ) -> None:
        self._bootstrap = list(bootstrap)
        self._client_id = client_id
        self._on_failure = on_failure
        self._reader = ChangelogReader(self._bootstrap, client_id)
        self._following: asyncio.Task[None] | None = None
        self._known: dict[TopicPartition, PartitionStore] = {}
        """Stores whose rows were once found to be those of the changelog."""

    async def start(self) -> None:
        """Connect, if that was not done."""
        await self._reader.start()

    async def stop(self) -> None:
        """Stop following and close the connections."""
        await self.halt()
        await self._reader.stop()

    async def halt(self) -> None:
        """Stop following: local rows change no more."""
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following

    def forget(self, tps: Iterable[TopicPartition]) -> None:
        """Drop what is known of partitions whose stores were closed."""
        for tp in tps:
            self._known.pop(tp, None)

    # -- what is ours

    async def take_over(
        self,
        stores: Stores,
        writers: Mapping[TopicPartition, Writer],
        before_change: Callable[[TopicPartition], object],
        before_drop: Callable[[TopicPartition], object],
    ) -> None:
        """Take changelogs over and apply what they hold beyond the rows of their stores.

        ``before_change`` is called before rows of a partition change: what was read before is void;
        ``before_drop`` before all of them are dropped.
        """
        began = time.monotonic()
        starts, ends = await self._reader.bounds(stores)

        async def fence(tp: TopicPartition) -> int:
            empty = starts[tp] == ends[tp]
            worker = self._client_id.encode()
            row = naming_row(worker) if empty else (FENCE, worker)
            try:
                offset = await writers[tp].take_over([row])
            except Exception as problem:
                logger.error("%s/%d cannot be taken over: %s", *tp, problem)  # noqa: TRY400
                raise
            if offset == _next(stores[tp], starts[tp]):
                # Nothing came between: what was read and cached of the partition stays valid.
                own = (HISTORY, name_in(row[0])) if empty else row
                stores[tp].write({**dict([own]), **touched(_now_ms())}, offset)
                if empty:
                    self._known[tp] = stores[tp]
            return offset

        # One that is refused ends the worker. The others must not be torn out of the middle of theirs by
        # that: only they know how what they found is to be ended.
        taken = await asyncio.gather(*map(fence, stores), return_exceptions=True)
        fences = {tp: _offset(outcome) for tp, outcome in zip(stores, taken, strict=True)}
        behind = {tp: fence + 1 for tp, fence in fences.items()}
        await self._drop_others(stores, starts, behind, before_drop)
        restored = await self._read(stores, starts, fences, before_change)
        if restored > len(stores):
            logger.info("restored %d rows in %.1f s", restored, time.monotonic() - began)

    # -- what is another worker's

    def follow(
        self,
        stores: Stores,
        complete: Callable[[TopicPartition], object],
        before_drop: Callable[[TopicPartition], object],
    ) -> None:
        """Keep stores near the ends of their changelogs from now on, until :meth:`halt`.

        ``complete`` is called when a store has come up to what its changelog was at the beginning.
        """
        if stores:
            self._following = asyncio.create_task(
                self._follow(stores, complete, before_drop), name="standby"
            )

    async def _follow(
        self,
        stores: Stores,
        complete: Callable[[TopicPartition], object],
        before_drop: Callable[[TopicPartition], object],
    ) -> None:
        try:
            starts, ends = await self._reader.bounds(stores)
            await self._drop_others(stores, starts, ends, before_drop)
            await self._read(stores, starts, {tp: end - 1 for tp, end in ends.items()}, _nothing)
            for tp in stores:
                complete(tp)
            self._reader.seek({tp: _next(store, starts[tp]) for tp, store in stores.items()})
            while True:
                rows = await self._reader.apply(stores)
                pause_s = max(FOLLOW_EVERY_S, rows / FOLLOW_ROWS_A_S)
                await asyncio.sleep(min(pause_s, FOLLOW_SELDOM_S))
        except asyncio.CancelledError:
            raise
        except BaseException as problem:
            self._on_failure(f"standby tables could not be followed: {problem}", problem)
            raise

    # -- reading

    async def _read(
        self,
        stores: Stores,
        starts: Mapping[TopicPartition, int],
        lasts: Mapping[TopicPartition, int],
        before_change: Callable[[TopicPartition], object],
    ) -> int:
        """Apply each changelog from behind its store's last row to an offset; return how many rows."""
        positions = {tp: _next(store, starts[tp]) for tp, store in stores.items()}
        positions = {tp: at for tp, at in positions.items() if at <= lasts[tp]}
        for tp in positions:
            before_change(tp)
        self._reader.seek(positions)
        behind, applied = set(positions), 0
        with contextlib.ExitStack() as restoring:
            for tp in behind:
                if lasts[tp] - positions[tp] > LARGE_GAP:
                    stores[tp].begin_restore()
                    restoring.callback(stores[tp].end_restore)
            while True:
                applied += await self._reader.apply(stores)
                behind -= await self._reader.pause_beyond({tp: lasts[tp] for tp in behind})
                if not behind:
                    break
                await self._reader.arrival()
        return applied

    # -- rows of another history

    async def _drop_others(
        self,
        stores: Stores,
        starts: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        before_drop: Callable[[TopicPartition], object],
    ) -> None:
        """Clear the stores whose rows cannot be believed beside what their changelogs are."""
        kept = {tp: store for tp, store in stores.items() if store.changelog_offset() is not None}
        unknown = [tp for tp, store in kept.items() if self._known.get(tp) is not store]
        names = await self._histories({tp: starts[tp] for tp in unknown if starts[tp] < ends[tp]})
        others = {
            tp
            for tp, store in kept.items()
            if not belong(store, names.get(tp) if tp in unknown else store.get(HISTORY), ends[tp])
        }
        others |= await self._outdated(
            {tp: store for tp, store in kept.items() if tp not in others}, starts, ends
        )
        for tp in others:
            before_drop(tp)
            stores[tp].clear()
        if others:
            logger.warning(
                "the local rows of %d partitions are of another history than the changelogs that Kafka"
                " has, or too old: they were dropped, and are restored from Kafka",
                len(others),
            )
        self._known.update(stores)

    async def _outdated(
        self,
        stores: Stores,
        starts: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> set[TopicPartition]:
        """Return the changelogs that may have forgotten deletions which their stores lack."""
        now_ms = _now_ms()
        positions = {
            tp: at
            for tp, store in stores.items()
            if (at := _next(store, starts[tp])) < ends[tp] and not lately_in_touch(store, now_ms)
        }
        if not positions:
            return set()
        return await self._reader.written(positions, {tp: ends[tp] - 1 for tp in positions})

    async def _histories(
        self, starts: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, bytes]:
        """Return the name of each changelog's history, from its first record."""
        if not starts:
            return {}
        consumer = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            enable_auto_commit=False,
            # Only the first record of each partition is looked at.
            max_partition_fetch_bytes=1 << 10,
        )
        async with started(consumer):
            firsts = await records_at(consumer, starts)
        return {tp: name_in(first.key) or b"" for tp, first in firsts.items()}


def _next(store: PartitionStore, start: int) -> int:
    """Return the offset behind a store's last row."""
    applied = store.changelog_offset()
    return start if applied is None else max(start, applied + 1)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _offset(outcome: int | BaseException) -> int:
    """Return what a take-over has returned, or raise what it has raised."""
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _nothing(_: TopicPartition) -> None:
    """Nobody reads the rows of another worker's partitions through a pipeline."""
