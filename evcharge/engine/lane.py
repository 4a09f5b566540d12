"""Opens a step for every chunk of an agent and hands finished steps to the partition's pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from faust.types import EventT, StreamT

from evcharge.engine.change_feed import ChangeFeed, Place
from evcharge.engine.chunk import Chunk
from evcharge.engine.counters import Counters
from evcharge.engine.failstop import fail_stop
from evcharge.engine.losses import Losses
from evcharge.engine.pace import Pace, Stopwatch
from evcharge.engine.pipeline import Pipeline
from evcharge.engine.row_cache import CachedRows, RowCache
from evcharge.engine.step import DeadLetter, Step
from evcharge.engine.table import StateTable
from evcharge.errors import EvchargeError
from evcharge.kafka.log import Log, Writer
from evcharge.kafka.partitioning import Partitioner


class Lane:
    """Everything between the chunks of the agents and the tables' durable rows."""

    def __init__(
        self,
        log: Log,
        partitioner: Partitioner,
        dead_letter: DeadLetter,
        cached_bytes: int,
        on_failure: Callable[[str, BaseException], object] = fail_stop,
        most_records: int = 5_000,
    ) -> None:
        """``cached_bytes`` bounds the rows kept for all table partitions, ``most_records`` a chunk."""
        self.log = log
        self.pace = Pace(most_records)
        self.partitioner = partitioner
        self.counters = Counters()
        self.losses = Losses(self.counters)
        self.feed = ChangeFeed()
        self._dead_letter = dead_letter
        self._cache = RowCache(cached_bytes)
        self._cached: dict[tuple[str, int], CachedRows] = {}
        self.on_failure = on_failure
        self._pipelines: dict[tuple[str, int], Pipeline] = {}
        self._writers: dict[tuple[str, int], Writer] = {}

    async def steps(self, stream: StreamT[Chunk], table: StateTable) -> AsyncIterator[Step]:
        """Yield an open step for each chunk of an agent's stream.

        When the agent asks for the next one, the step before is finished: its effects become
        durable in the background, then its chunk is acknowledged. An exception in the agent's body
        ends the iteration, and with it the worker (:meth:`give_up`), without the step.
        """
        async for event in stream.noack().events():  # type: ignore[attr-defined]
            watch = Stopwatch()
            step = self.begin(event.value, table)
            yield step
            self.finish(step, table, event)
            self.pace.took(event.value.topic, len(event.value.records), watch.seconds())

    def begin(self, chunk: Chunk, table: StateTable) -> Step:
        """Open a step for a chunk."""
        return Step(
            chunk,
            self.pipeline(table, chunk.partition),
            self.partitioner,
            self._dead_letter,
            self.counters,
        )

    def finish(self, step: Step, table: StateTable, event: EventT[Any] | None = None) -> None:
        """Hand a finished step over to become durable."""
        effects = step.finish()
        if event is not None:
            effects.on_durable.append(event.ack)
        self.pipeline(table, step.partition).submit(effects)

    def give_up(self, problem: BaseException) -> None:
        """End the process because an agent failed: an orderly stop would wait for its chunk."""
        said = problem if isinstance(problem, EvchargeError) else repr(problem)
        self.on_failure(f"a step could not be computed: {said}", problem)

    def pipeline(self, table: StateTable, partition: int) -> Pipeline:
        """Return what computes and writes a table partition."""
        place = Place(table.name, partition)
        known = self._pipelines.get(place)
        if known is None:
            cached = self._cached[place] = self._cache.partition()
            known = self._pipelines[place] = Pipeline(
                table.changelog_topic_name,
                partition,
                table.partition(partition),
                self.writer(table, partition),
                partial(self.feed.publish, place),
                self.on_failure,
                cached,
            )
        return known

    def writer(self, table: StateTable, partition: int) -> Writer:
        """Return what writes the changelog of a table partition, from its take-over on."""
        place = table.name, partition
        if place not in self._writers:
            self._writers[place] = self.log.writer(table.changelog_topic_name, partition)
        return self._writers[place]

    def forget(self, table: StateTable, partition: int) -> None:
        """Drop what was read and cached of a partition: its rows change, or it leaves."""
        if self._pipelines.pop((table.name, partition), None) is not None:
            self._cache.drop(self._cached.pop((table.name, partition)))

    def release(self, table: StateTable, partition: int) -> None:
        """Drop all of a partition that left this worker."""
        self.forget(table, partition)
        self._writers.pop((table.name, partition), None)

    async def drained(self) -> None:
        """Return when everything that was computed is durable."""
        await asyncio.gather(*(pipeline.drained() for pipeline in self._pipelines.values()))
