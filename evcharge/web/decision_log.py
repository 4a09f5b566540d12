"""Where decisions are recorded: the topic ``session-decisions``."""

from __future__ import annotations

import asyncio

from evcharge.kafka.publisher import Publisher
from evcharge.settings import Settings

_SILENCE_S = 5.0
"""Seconds that Kafka may take for one record."""

_AT_A_TIME = 4
"""Decisions are few: each is published over a connection of its own, which nobody has to keep alive."""


class KafkaDecisionLog:
    """Implements :class:`~evcharge.web.context.DecisionLog`."""

    def __init__(self, settings: Settings) -> None:
        self._bootstrap = settings.bootstrap
        self._topic = settings.topic("session-decisions")
        self._free = asyncio.Semaphore(_AT_A_TIME)

    async def append(self, partition: int, station_id: str, record: bytes) -> None:
        async with self._free, Publisher(self._bootstrap, silence_s=_SILENCE_S) as publisher:
            await publisher.send(self._topic, station_id, record, partition=partition)
            await publisher.flush()
