"""A small Kafka publisher for the commands: keyed records, every one acknowledged or an error."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import TYPE_CHECKING, Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from evcharge.errors import CommandError
from evcharge.kafka.admin import KafkaAdmin
from evcharge.kafka.partitioning import Partitioner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Kafka clients report to people through us; without a handler their log would be on standard error.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

_STOP_PATIENCE_S = 5.0


def encode(event: Mapping[str, Any]) -> bytes:
    """Compact JSON in UTF-8; the fields keep their order."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


class Publisher:
    """Publishes records with `acks=all` and idempotence, in order within a partition.

    At most `in_flight` records wait for their acknowledgement: `send` waits when there are more.
    `flush` returns once all are acknowledged; leaving the context early gives up what waits.

    Raises CommandError, one sentence for a person, where the broker cannot be reached, a topic is
    missing, a record is refused, or nothing is acknowledged for `silence_s` seconds.
    """

    def __init__(
        self,
        bootstrap: Sequence[str],
        *,
        in_flight: int = 10_000,
        silence_s: float = 30.0,
        compression: str | None = None,
    ) -> None:
        """``compression``: ``gzip`` or None; the device topics are kept without."""
        self.acknowledged = 0
        """How many records the broker has acknowledged."""
        self._bootstrap = list(bootstrap)
        self._in_flight = in_flight
        self._silence_s = silence_s
        self._compression = compression
        self._producer: Any = None
        self._waiting = 0
        self._failure: BaseException | None = None
        self._progress = asyncio.Event()
        self._partitioners: dict[str, Partitioner] = {}

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            compression_type=self._compression,
            # Large batches at full speed; a millisecond is nothing to a device.
            max_batch_size=131_072,
            linger_ms=1,
        )
        try:
            await self._producer.start()
        except (KafkaError, OSError):
            # `start` leaves its client half open, and a producer that is not stopped complains.
            await self._close()
            raise CommandError(
                f"no Kafka answers at {self._address}: start one with `python -m evcharge broker`"
                " or set EVCHARGE_BROKER"
            ) from None
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has; CommandError if it does not exist."""
        return (await self._partitioner(topic)).partitions

    async def send(
        self, topic: str, key: str | None, value: bytes | None, *, partition: int | None = None
    ) -> None:
        """Hand one record over; without a `partition` its key's murmur2 hash decides.

        A record without a key needs a `partition`, so that nothing here is left to chance. A value
        of None is a tombstone.
        """
        if partition is None:
            if key is None:
                raise ValueError("a record without a key needs a partition")
            partition = (await self._partitioner(topic)).partition_of(key)
        await self._until_at_most(self._in_flight - 1)
        try:
            async with asyncio.timeout(self._silence_s):
                done = await self._producer.send(
                    topic, value, None if key is None else key.encode(), partition
                )
        except TimeoutError:
            raise self._silent() from None
        except KafkaError as problem:
            raise self._refused(problem) from None
        self._waiting += 1
        done.add_done_callback(self._on_done)

    async def flush(self) -> None:
        """Return once the broker has acknowledged every record that was sent."""
        await self._until_at_most(0)

    async def _partitioner(self, topic: str) -> Partitioner:
        """Ours, not the producer's: stated here, and it remembers what murmur2 gave for a key."""
        if topic not in self._partitioners:
            # The producer's own question about a topic would create it on many clusters.
            async with KafkaAdmin(self._bootstrap) as kafka:
                found = await kafka.describe([topic])
            if topic not in found:
                raise CommandError(
                    f"the topic {topic} does not exist at {self._address}:"
                    " create the topics with `python -m evcharge topics`"
                )
            self._partitioners[topic] = Partitioner(found[topic].partitions)
        return self._partitioners[topic]

    def _on_done(self, done: asyncio.Future[Any]) -> None:
        self._waiting -= 1
        self._progress.set()
        if done.cancelled():
            self._failure = self._failure or KafkaConnectionError("given up")
        elif problem := done.exception():
            self._failure = self._failure or problem
        else:
            self.acknowledged += 1

    async def _until_at_most(self, waiting: int) -> None:
        while self._failure is None and self._waiting > waiting:
            self._progress.clear()
            try:
                async with asyncio.timeout(self._silence_s):
                    await self._progress.wait()
            except TimeoutError:
                raise self._silent() from None
        if self._failure is not None:
            raise self._refused(self._failure) from None

    async def _close(self) -> None:
        # An idempotent producer never gives up a batch by itself, so its stop could wait for ever.
        # A batch's future that is cancelled has nobody left to tell.
        with contextlib.suppress(TimeoutError, KafkaError, OSError):
            async with asyncio.timeout(_STOP_PATIENCE_S):
                await self._producer.stop()

    @property
    def _address(self) -> str:
        return ", ".join(self._bootstrap)

    def _silent(self) -> CommandError:
        return CommandError(
            f"Kafka at {self._address} has acknowledged nothing for {self._silence_s:g} s;"
            f" {self.acknowledged} records were acknowledged before"
        )

    def _refused(self, problem: BaseException) -> CommandError:
        said = " ".join(str(problem).split()) or type(problem).__name__
        return CommandError(
            f"Kafka at {self._address} refused a record ({said});"
            f" {self.acknowledged} records were acknowledged before"
        )
