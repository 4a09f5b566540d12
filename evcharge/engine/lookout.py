"""Looks after a consumer: its lag, its topics, its place in the group, and whether it gets anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.types import TP
from mode import Service

from evcharge.engine.failstop import fail_stop
from evcharge.engine.watchdog import Watchdog
from evcharge.kafka.awake import AWAKE, SleptError

if TYPE_CHECKING:
    from evcharge.application import Application
    from evcharge.engine.consumer import ChunkConsumer

EVERY_S = 1.0

TOPICS_EVERY_S = 2.0

TOPIC_PATIENCE_S = 10.0

PROBE_S = 3.0
"""How long Kafka may take to answer in a rebalance, to count as there."""


class Lookout(Service):
    """Looks once a second; what it cannot let pass ends the worker."""

    def __init__(self, consumer: ChunkConsumer, **kwargs: Any) -> None:
        self._consumer = consumer
        self._app = cast("Application", consumer.app)
        self._watchdog: Watchdog[str] = Watchdog(self._app.settings.stall_s)
        self.lag: Mapping[tuple[str, int], int] = {}
        """How many records of each source partition were not durable at the last look."""
        super().__init__(**kwargs)

    @Service.task
    async def _watch_process(self) -> None:
        async for _ in self.itertimer(EVERY_S, name="process"):
            try:
                AWAKE.check()
                self._consumer.driver.member.check()
            except SleptError as problem:
                fail_stop(str(problem), problem)
            except KafkaError as problem:
                fail_stop(f"Kafka does not let this worker take part in its group: {problem}")

    @Service.task
    async def _watch_progress(self) -> None:
        async for _ in self.itertimer(EVERY_S, name="progress"):
            try:
                reason = await self._look()
            except (KafkaError, ConsumerStoppedError, TimeoutError):
                continue
            if reason is not None and not self.should_stop:
                fail_stop(reason)

    async def _look(self) -> str | None:
        """Look at the lag and at what became of it since; return why the worker has to end."""
        consumer = self._consumer
        if self._app.rebalancing or not self._app.recovered:
            async with asyncio.timeout(PROBE_S):
                answered = await consumer.driver.refresh()
            return self._watchdog.look_at_rebalance(monotonic()) if answered else None
        durable = dict(consumer.durable())
        ends = await consumer.driver.ends(durable)
        self.lag = {(tp.topic, tp.partition): max(0, end - durable[tp]) for tp, end in ends.items()}
        reason = self._watchdog.look(monotonic(), _named(durable), _named(ends))
        if reason is None or await consumer.driver.writable(self._app.settings.insync):
            return reason
        # Kafka can be read but not be written: that is not for a restart to mend.
        self._watchdog = Watchdog(self._app.settings.stall_s)
        return None

    @Service.task
    async def _watch_topics(self) -> None:
        """End the worker when a topic is gone for good: at its next start it creates it anew.

        That happens when Kafka came back empty. A topic that is only created anew is soon there again.
        """
        since: dict[str, float] = {}
        async for _ in self.itertimer(TOPICS_EVERY_S, name="topics"):
            vanished = self._consumer.driver.vanished()
            since = {topic: since.get(topic, monotonic()) for topic in vanished}
            gone = [topic for topic, at in since.items() if monotonic() - at > TOPIC_PATIENCE_S]
            if gone:
                fail_stop(f"Kafka has no topic {min(gone)} any more, was it emptied?")


def _named(offsets: Mapping[TP, int]) -> Mapping[str, int]:
    return {f"{tp.topic}/{tp.partition}": offset for tp, offset in offsets.items()}
