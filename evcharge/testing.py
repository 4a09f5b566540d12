"""The whole application in memory, for tests: real agents, real rules, no Kafka, no disk.

Use it as a pytest plugin (``pytest_plugins = ["evcharge.testing"]``) and ask for the fixture
``evcharge_worker``, or build a :class:`MemoryWorker` yourself::

    async def test_a_car_takes_the_plug(evcharge_worker):
        await evcharge_worker.send(
            "station-status",
            {"station_id": "EV-001", "timestamp": "2023-05-01T10:15:30Z", "status": "occupied"},
        )
        assert evcharge_worker.state.station("EV-001") is not None
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

import pytest_asyncio

from evcharge.engine.chunk import Chunk, FirstArrival
from evcharge.engine.forwarding import SUFFIX
from evcharge.kafka.log import Output
from evcharge.kafka.memory_log import MemoryLog
from evcharge.reference.feed import Feed, ReferenceRecord
from evcharge.settings import Settings
from evcharge.web.durable_state import DurableState
from evcharge.worker import build

Value = dict[str, Any] | bytes | None

NOW_MS = 1_700_000_000_000
"""The append time that records get unless one is given: 2023-11-14T22:13:20Z."""


class MemoryWorker:
    """One worker that owns every partition.

    ``send`` puts records through an agent (``agent.test_context()``) and returns when their effects
    are durable; then look at ``state`` (what HTTP would read), ``changelog``, ``outputs``.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings(partitions=4)
        self.failures: list[str] = []
        self.app = build(self.settings, in_memory=True)
        self.app.lane.on_failure = lambda reason, _: self.failures.append(reason)
        self.state = DurableState(self.app)
        self._offsets: dict[tuple[str, int], int] = {}
        self._forwarded = 0
        self._running = AsyncExitStack()
        self._agents: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        """Start the agents."""
        app = self.app
        app.loop = asyncio.get_running_loop()
        app.finalize()
        app.flow_control.resume()
        await app.before_first_record()
        app.recovered = True
        for table in app.tables.values():
            app.readable[table.name] = set(range(self.settings.partitions))
        for name, agent in app.agents.items():
            context = agent.test_context(on_error=self._give_up)
            self._agents[name] = await self._running.enter_async_context(context)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the agents."""
        await self._running.aclose()
        await self.app.reference.stop()

    async def _give_up(self, _: object, problem: BaseException) -> None:
        self.app.lane.give_up(problem)

    async def send(
        self,
        topic: str,
        *values: Value,
        partition: int | None = None,
        key: bytes | None = None,
        timestamp_ms: int = NOW_MS,
    ) -> None:
        """Append records to a device topic and wait until they took effect.

        Without a partition each goes where its ``station_id`` belongs; records for one partition
        arrive as one chunk. What the worker reroutes is delivered too.
        """
        by_partition: dict[int, list[FirstArrival]] = {}
        for value in values:
            raw = json.dumps(value).encode() if isinstance(value, dict) else value
            home = partition
            if home is None:
                station = value.get("station_id") if isinstance(value, dict) else None
                home = self.state.partition_of(station) if isinstance(station, str) else 0
            offset = self._next_offset(topic, home)
            by_partition.setdefault(home, []).append(
                FirstArrival(key, raw, timestamp_ms, home, offset)
            )
        for number, records in by_partition.items():
            await self.deliver(topic, number, records)
        await self._deliver_rerouted(timestamp_ms)

    def publish(self, topic: str, *values: dict[str, Any], timestamp_ms: int = 0) -> None:
        """Append to a reference topic, `stations` or `tariffs`; by default long ago."""
        reference = self.app.reference
        feed: Feed = reference.register if topic == "stations" else reference.tariffs
        begin = 0 if feed.position is None else feed.position.offset + 1
        feed.apply(
            [
                ReferenceRecord(begin + place, timestamp_ms, None, json.dumps(value).encode())
                for place, value in enumerate(values)
            ]
        )

    def rewind(self, topic: str, partition: int) -> None:
        """Have the next records of a topic's partition take the offsets of its first ones again."""
        self._offsets.pop((topic, partition), None)

    async def deliver(self, topic: str, partition: int, records: Sequence[FirstArrival]) -> None:
        """Put records as one chunk through the agent of ``topic`` and wait for their effects.

        What the agent raises, which ends a worker, is raised here.
        """
        chunk = Chunk(self.settings.topic(topic), partition, records)
        await self._agents[topic.removesuffix(SUFFIX)].put(chunk, partition=partition)
        # The agent finishes a step when it asks for the next chunk.
        table = self.app.table_of(chunk.topic)
        pipeline = self.app.lane.pipeline(table, partition)
        while pipeline.applied_offset(chunk.topic) < records[-1].offset:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0)
        await self.app.lane.drained()

    async def _deliver_rerouted(self, timestamp_ms: int) -> None:
        while self._forwarded < len(self.outputs):
            output = self.outputs[self._forwarded]
            self._forwarded += 1
            if not output.topic.endswith(SUFFIX):
                continue
            partition = output.partition or 0
            record = FirstArrival(
                output.key,
                output.value,
                timestamp_ms,
                partition,
                self._next_offset(output.topic, partition),
                output.headers,
            )
            await self.deliver(
                output.topic.removeprefix(self.settings.topic_prefix), partition, [record]
            )

    def _next_offset(self, topic: str, partition: int) -> int:
        place = topic, partition
        self._offsets[place] = self._offsets.get(place, -1) + 1
        return self._offsets[place]

    @property
    def _log(self) -> MemoryLog:
        log = self.app.lane.log
        assert isinstance(log, MemoryLog)
        return log

    @property
    def outputs(self) -> list[Output]:
        """Everything produced besides changelogs, in order."""
        return self._log.outputs

    def records(self, topic: str) -> list[dict[str, Any]]:
        """Return the values produced to a topic, in order."""
        name = self.settings.topic(topic)
        return [json.loads(o.value or b"null") for o in self.outputs if o.topic == name]

    @property
    def dead_letters(self) -> list[Output]:
        """The rejected records."""
        return [o for o in self.outputs if o.topic == self.settings.topic("dead-letters")]

    def changelog(
        self, table: str, partition: int | None = None
    ) -> list[tuple[bytes, bytes | None]]:
        """Return the changelog records of a table, of one partition or of all."""
        topic = self.app.tables[table].changelog_topic.get_topic_name()
        wanted: Iterable[int] = (
            range(self.settings.partitions) if partition is None else [partition]
        )
        return [row for p in wanted for row in self._log.changelogs.get((topic, p), [])]


@pytest_asyncio.fixture
async def evcharge_worker() -> AsyncIterator[MemoryWorker]:
    """A worker in memory that owns all of its four partitions."""
    async with MemoryWorker() as worker:
        yield worker
