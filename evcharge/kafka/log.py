"""Where durable things go: what the lane asks of a log, and what it hands over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaProducer

Headers = Sequence[tuple[str, bytes | None]]
"""Kafka takes null as the value of a header, which is not the same as no bytes."""

Row = tuple[bytes, bytes | None]
"""Key and value of a table's row; without a value it is deleted."""


class Output(NamedTuple):
    """A record to produce."""

    topic: str
    partition: int | None
    """``None``: Kafka's default (murmur2 of the key). The lane always names one."""
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Writer(Protocol):
    """The only writer of one changelog partition."""

    async def take_over(self, rows: Sequence[Row]) -> int:
        """Shut out every other writer, append rows, return the offset of the last."""

    async def write(self, rows: Iterable[Row], outputs: Sequence[Output]) -> int:
        """Append rows and outputs, all or nothing; return the offset of the last row."""


class Log(Protocol):
    """Durable appends; every method returns only when the broker has acknowledged."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def writer(self, topic: str, partition: int) -> Writer:
        """Return a writer of a changelog partition that has not yet taken it over."""


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
