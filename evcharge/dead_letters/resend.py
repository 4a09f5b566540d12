"""How one dead letter goes back to its topic, and the producer that takes it there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from evcharge.dead_letters.letter import DeadLetter
from evcharge.errors import CommandError
from evcharge.kafka.admin import KafkaAdmin
from evcharge.kafka.log import Output, send
from evcharge.kafka.partitioning import partition_of
from evcharge.settings import Settings
from evcharge.topics.catalogue import DEAD_LETTERS_REDRIVEN, DEVICE_TOPICS, Topic

REDRIVEN_FROM = "redriven-from"
"""Header of a redriven record: partition and offset of its dead letter, as ``3:17``."""

_SILENCE_S = 30.0
_STOP_PATIENCE_S = 5.0


def redriven(letter: DeadLetter, partitions: Mapping[str, int]) -> Output | None:
    """Return the record that a dead letter becomes, ``None`` if it names none of the topics.

    A key decides the partition as everywhere (murmur2); a record without one goes back to where it
    was. ``partitions`` are the partition numbers of the topics that records may go back to.
    """
    origin = letter.origin
    count = partitions.get(origin.topic or "", 0)
    if origin.topic is None or count == 0:
        return None
    partition = (
        (origin.partition or 0) % count if letter.key is None else partition_of(letter.key, count)
    )
    headers = [(name, value) for name, value in origin.headers if name != REDRIVEN_FROM]
    headers.append((REDRIVEN_FROM, f"{letter.partition}:{letter.offset}".encode()))
    return Output(origin.topic, partition, letter.key, letter.value, headers)


class Resender:
    """Sends records back and waits for each, as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._partitions: dict[str, int] = {}
        self._producer = AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap,
            acks="all",
            enable_idempotence=True,
            # What a device sent compressed may be larger than the topic's limit without.
            compression_type="gzip",
            max_request_size=64 << 20,
        )

    async def __aenter__(self) -> Self:
        names = [self._name(topic) for topic in DEVICE_TOPICS]
        async with KafkaAdmin(self._settings.bootstrap) as kafka:
            found = await kafka.describe(names)
        self._partitions = {name: state.partitions for name, state in found.items()}
        try:
            await self._producer.start()
        except BaseException as problem:
            await self._stop()
            if isinstance(problem, KafkaError):
                raise CommandError(f"nothing can be sent to Kafka: {problem!r}") from None
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    def output(self, letter: DeadLetter) -> Output | None:
        """Return the record that a dead letter becomes, ``None`` if it names no device topic."""
        return redriven(letter, self._partitions)

    async def keep(self, key: bytes, value: bytes) -> None:
        """Store a mark."""
        await self.deliver([Output(self._name(DEAD_LETTERS_REDRIVEN), 0, key, value)])

    async def deliver(self, outputs: Sequence[Output]) -> list[bool]:
        """Send and return, in order, whether each was taken; False means too large."""
        try:
            async with asyncio.timeout(_SILENCE_S):
                return await asyncio.gather(*(self._deliver_one(output) for output in outputs))
        except TimeoutError:
            raise CommandError(
                f"Kafka has not acknowledged for {_SILENCE_S:g} s; repeat the command later"
            ) from None
        except KafkaError as problem:
            raise CommandError(f"Kafka refused a record: {problem!r}") from None

    async def _deliver_one(self, output: Output) -> bool:
        try:
            await (await send(self._producer, output))
        except MessageSizeTooLargeError:
            return False
        return True

    async def _stop(self) -> None:
        # An idempotent producer never gives up by itself what the broker does not acknowledge.
        with contextlib.suppress(TimeoutError, KafkaError, OSError):
            async with asyncio.timeout(_STOP_PATIENCE_S):
                await self._producer.stop()

    def _name(self, topic: Topic) -> str:
        return self._settings.topic(topic.name)
