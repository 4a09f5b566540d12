"""Keeps devices sending while everything else breaks, and counts what Kafka acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from evcharge.settings import Settings
from tests.torture.events import Sent

TICK_S = 0.05


class Load:
    """Sends events at a rate, through broker failures; may be paused between rounds."""

    def __init__(self, settings: Settings, events: Iterator[Sent], rate: int) -> None:
        self.acknowledged: Counter[str] = Counter()
        """By the topic's name without prefix."""
        self.lost_connections = 0
        self._settings = settings
        self._events = events
        self._rate = rate

    async def run(self, until: asyncio.Event) -> None:
        """Send until told, then wait for what is under way."""
        while not until.is_set():
            producer = AIOKafkaProducer(
                bootstrap_servers=self._settings.bootstrap,
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                max_batch_size=256 << 10,
                max_request_size=4 << 20,
                request_timeout_ms=10_000,
            )
            try:
                await producer.start()
                await self._send(producer, until)
            except (KafkaError, TimeoutError):
                # What was not acknowledged may be in the topic or not: the topic itself tells.
                self.lost_connections += 1
                await asyncio.sleep(0.5)
            finally:
                await self._stop(producer)

    async def _send(self, producer: AIOKafkaProducer, until: asyncio.Event) -> None:
        due = time.monotonic()
        while not until.is_set():
            due = max(due, time.monotonic() - 1) + TICK_S
            sent = []
            for event, _ in zip(self._events, range(int(self._rate * TICK_S)), strict=False):
                acknowledged = await producer.send(
                    self._settings.topic(event.topic),
                    event.value,
                    key=event.key,
                    partition=event.partition,
                    headers=event.headers,
                )
                sent.append((event.topic, acknowledged))
            async with asyncio.timeout(60):
                outcomes = await asyncio.gather(
                    *(acknowledged for _, acknowledged in sent), return_exceptions=True
                )
            for (topic, _), outcome in zip(sent, outcomes, strict=True):
                if isinstance(outcome, BaseException):
                    raise outcome
                self.acknowledged[topic] += 1
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    @staticmethod
    async def _stop(producer: AIOKafkaProducer) -> None:
        try:
            async with asyncio.timeout(20):
                await producer.stop()
        except (KafkaError, TimeoutError):
            pass

    async def missing(self) -> dict[str, int]:
        """Return how many acknowledged records a topic lacks: then Kafka itself has lost some."""
        lacking: dict[str, int] = {}
        if not self.acknowledged:
            return lacking
        async with AIOKafkaConsumer(bootstrap_servers=self._settings.bootstrap) as consumer:
            for topic, count in self.acknowledged.items():
                tps = [
                    TopicPartition(self._settings.topic(topic), number)
                    for number in range(self._settings.partitions)
                ]
                there = sum((await consumer.end_offsets(tps)).values())
                if there < count:
                    lacking[topic] = count - there
        return lacking
