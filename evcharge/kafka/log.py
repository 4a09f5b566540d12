"""Where durable things go: Kafka in the application, lists in memory in tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

Headers = Sequence[tuple[str, bytes]]


class Output(NamedTuple):
    """A record to produce; without a partition Kafka's default (murmur2 of the key) applies."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Log(Protocol):
    """Durable appends; every method returns only when the broker has acknowledged."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Append outputs, in order for each partition; raises if any was not acknowledged."""

    async def append(
        self, topic: str, partition: int, rows: Iterable[tuple[bytes, bytes | None]]
    ) -> int:
        """Append rows to a changelog partition, return the offset of the last.

        Rows that fit one record batch are appended atomically; more are split, in order.
        """


class KafkaLog:
    """Appends to Kafka with an idempotent producer that waits for all in-sync replicas."""

    def __init__(self, bootstrap: Sequence[str], client_id: str) -> None:
        self._bootstrap = list(bootstrap)
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            acks="all",
            # Idempotence keeps the order through retries, and never gives up on a batch silently.
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=MAX_BATCH_BYTES,
            max_request_size=16 << 20,
            request_timeout_ms=30_000,
        )
        await self._producer.start()

    async def stop(self) -> None:
        if self._producer is not None:
            await self._producer.stop()

    @property
    def producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise RuntimeError("the log was not started")
        return self._producer

    async def publish(self, outputs: Sequence[Output]) -> None:
        await asyncio.gather(*[await send(self.producer, output) for output in outputs])

    async def append(
        self, topic: str, partition: int, rows: Iterable[tuple[bytes, bytes | None]]
    ) -> int:
        producer = self.producer
        sent: list[tuple[BatchBuilder, asyncio.Future[object]]] = []
        batch = producer.create_batch()
        for key, value in rows:
            if batch.append(key=key, value=value, timestamp=None) is None:
                sent.append((batch, await producer.send_batch(batch, topic, partition=partition)))
                batch = producer.create_batch()
                # The first row of a batch always fits; the broker's limit is eight times ours.
                batch.append(key=key, value=value, timestamp=None)
        sent.append((batch, await producer.send_batch(batch, topic, partition=partition)))
        last = 0
        for sent_batch, future in sent:
            metadata = await future
            last = metadata.offset + sent_batch.record_count() - 1  # type: ignore[attr-defined]
        return last


MAX_BATCH_BYTES = 1 << 20


async def send(producer: AIOKafkaProducer, output: Output) -> asyncio.Future[object]:
    """Hand a record over, return the future of its acknowledgement.

    A record with neither key nor value may arrive from anybody, but aiokafka's ``send`` refuses it.
    """
    sent: asyncio.Future[object]
    if output.key is not None or output.value is not None:
        sent = await producer.send(
            output.topic,
            output.value,
            key=output.key,
            partition=output.partition,
            headers=list(output.headers),
        )
    else:
        batch = producer.create_batch()
        batch.append(key=None, value=None, timestamp=None, headers=list(output.headers))
        batch.close()
        # Without a key, any partition is as good as Kafka's default.
        sent = await producer.send_batch(batch, output.topic, partition=output.partition or 0)
    return sent


class MemoryLog:
    """Keeps what was appended, for tests."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.changelogs: dict[tuple[str, int], list[tuple[bytes, bytes | None]]] = {}

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def publish(self, outputs: Sequence[Output]) -> None:
        self.outputs.extend(outputs)

    async def append(
        self, topic: str, partition: int, rows: Iterable[tuple[bytes, bytes | None]]
    ) -> int:
        changelog = self.changelogs.setdefault((topic, partition), [])
        changelog.extend(rows)
        return len(changelog) - 1
