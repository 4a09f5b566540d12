"""Reads topics partition by partition, as a plain ``read_committed`` reader sees them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from evcharge.errors import CommandError
from evcharge.kafka.admin import KafkaAdmin
from evcharge.kafka.closing import close
from evcharge.kafka.lenient_fetch import fetch

_SILENCE_S = 30.0
_AT_ONCE = 5_000


class Topics:
    """A reader of whole partitions, as an async context manager; it belongs to no group.

    Every method raises CommandError where Kafka does not answer or a topic is not what it has to be.
    """

    def __init__(self, bootstrap: Sequence[str]) -> None:
        self._bootstrap = list(bootstrap)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="evcharge-verify",
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_partition_fetch_bytes=4 << 20,
            # What is asked for is there. Only behind the end is more asked for, and the next partition
            # would wait for that answer.
            fetch_max_wait_ms=20,
        )
        # Asked with read_committed, Kafka would tell an end before what is still undecided: outputs of
        # transactions that it has confirmed, but whose markers it has yet to write.
        self._ends = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="evcharge-verify-ends",
            enable_auto_commit=False,
        )
        self.records = 0
        """How many records were read so far."""

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(_SILENCE_S):
                await self._consumer.start()
                await self._ends.start()
        except (KafkaError, TimeoutError) as problem:
            await self._stop()
            raise CommandError(f"Kafka does not answer: {problem!r}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _stop(self) -> None:
        await close(self._consumer)
        await close(self._ends)

    async def require(self, names: Collection[str], partitions: int) -> None:
        """Check that topics exist with this number of partitions."""
        async with KafkaAdmin(self._bootstrap) as kafka:
            found = await kafka.describe(names)
        for name in names:
            if name not in found:
                raise CommandError(f"there is no topic {name}: is this the right deployment?")
            if found[name].partitions != partitions:
                raise CommandError(
                    f"the topic {name} has {found[name].partitions} partitions,"
                    f" EVCHARGE_PARTITIONS is {partitions}"
                )

    async def begin(self, topic: str, partition: int) -> int:
        """Return the offset from which on a partition holds records; retention moves it."""
        tp = TopicPartition(topic, partition)
        try:
            async with asyncio.timeout(_SILENCE_S):
                begin: int = (await self._ends.beginning_offsets([tp]))[tp]
        except (KafkaError, TimeoutError) as problem:
            raise CommandError(f"{topic}/{partition} cannot be read: {problem!r}") from None
        return begin

    async def read(
        self, topic: str, partition: int, *, begin: int = 0
    ) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """Yield all records that a partition holds now, in batches, in order.

        They have to be there from ``begin`` on, also if retention goes on meanwhile.
        """
        consumer = self._consumer
        tp = TopicPartition(topic, partition)
        consumer.assign([tp])
        first = await self.begin(topic, partition)
        if first > begin:
            raise CommandError(
                f"{topic}/{partition} begins at offset {first}: what was computed from the"
                " records before it, which were removed, cannot be checked"
            )
        try:
            async with asyncio.timeout(_SILENCE_S):
                end = (await self._ends.end_offsets([tp]))[tp]
            consumer.seek(tp, begin)
            heard = time.monotonic()
            while await consumer.position(tp) < end:
                records = await self._fetch(tp)
                if records:
                    heard = time.monotonic()
                    self.records += len(records)
                    yield [record for record in records if record.offset < end]
                elif time.monotonic() - heard > _SILENCE_S:
                    raise CommandError(
                        f"Kafka shows nothing more of {topic}/{partition} for {_SILENCE_S:g} s,"
                        f" though it has {end - await consumer.position(tp)} more offsets there:"
                        " is a transaction in it undecided?"
                    )
        except (KafkaError, TimeoutError) as problem:
            raise CommandError(f"{topic}/{partition} cannot be read: {problem!r}") from None

    async def _fetch(self, tp: TopicPartition) -> Sequence[ConsumerRecord]:
        position = await self._consumer.position(tp)
        fetched = await fetch(self._consumer, {tp: position}, timeout_ms=500, max_records=_AT_ONCE)
        return fetched.get(tp, [])
