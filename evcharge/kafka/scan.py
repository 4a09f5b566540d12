"""Reads a topic from anywhere to the end that it has now, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from evcharge.errors import CommandError
from evcharge.kafka.admin import KafkaAdmin
from evcharge.kafka.closing import close
from evcharge.kafka.lenient_fetch import fetch

_POLL_MS = 200
_BATCH_RECORDS = 500


class Scan:
    """One pass over a topic, as an async context manager; without a consumer group.

    Names of headers that are not UTF-8 become text that shows them. Raises CommandError where the
    topic is missing, Kafka refuses, or nothing comes for ``silence_s`` seconds.
    """

    def __init__(self, bootstrap: list[str], topic: str, silence_s: float = 30.0) -> None:
        self.begins: dict[int, int] = {}
        """Offset of the oldest record of each partition."""
        self.ends: dict[int, int] = {}
        """Offset after the newest record of each partition when the scan began."""
        self._bootstrap = bootstrap
        self._topic = topic
        self._silence_s = silence_s
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        async with KafkaAdmin(self._bootstrap) as kafka:
            found = await kafka.describe([self._topic])
        if self._topic not in found:
            raise CommandError(
                f"the topic {self._topic} does not exist: create the topics with"
                " `python -m evcharge topics`"
            )
        consumer = self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="evcharge-scan",
            enable_auto_commit=False,
            # A record that is removed meanwhile by its retention is no reason to stop.
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        partitions = [TopicPartition(self._topic, n) for n in range(found[self._topic].partitions)]
        try:
            async with asyncio.timeout(self._silence_s):
                await consumer.start()
                begins = await consumer.beginning_offsets(partitions)
                ends = await consumer.end_offsets(partitions)
        except (TimeoutError, KafkaError) as problem:
            await close(consumer)
            raise self._unreadable(problem) from None
        except BaseException:
            await close(consumer)
            raise
        self.begins = {tp.partition: offset for tp, offset in begins.items()}
        self.ends = {tp.partition: offset for tp, offset in ends.items()}
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._consumer is not None:
            await close(self._consumer)

    async def batches(
        self, starts: Mapping[int, int] | None = None
    ) -> AsyncIterator[tuple[int, list[ConsumerRecord]]]:
        """Yield ``(partition, records)``, in offset order within a partition, up to ``ends``.

        ``starts`` names the partitions to read and from where; the default is all of everything.
        """
        consumer = self._consumer
        assert consumer is not None, "used as a context manager"
        wanted = {
            TopicPartition(self._topic, partition): max(start, self.begins[partition])
            for partition, start in (self.begins if starts is None else starts).items()
            if partition in self.ends
        }
        unread = {tp for tp, start in wanted.items() if start < self.ends[tp.partition]}
        if not unread:
            return
        consumer.assign(list(unread))
        for tp in unread:
            consumer.seek(tp, wanted[tp])
        heard = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(self._silence_s):
                    positions = {tp: await consumer.position(tp) for tp in unread}
                    left = {tp: at for tp, at in positions.items() if at < self.ends[tp.partition]}
                    consumer.pause(*unread - left.keys())
                    unread = set(left)
                    fetched = (
                        await fetch(consumer, left, timeout_ms=_POLL_MS, max_records=_BATCH_RECORDS)
                        if left
                        else {}
                    )
            except KafkaError as problem:
                raise self._unreadable(problem) from None
            except TimeoutError:
                raise self._silent() from None
            if not left:
                return
            for tp, records in fetched.items():
                heard = time.monotonic()
                end = self.ends[tp.partition]
                if inside := [record for record in records if record.offset < end]:
                    yield tp.partition, inside
            if time.monotonic() - heard > self._silence_s:
                raise self._silent()

    def _silent(self) -> CommandError:
        return CommandError(f"Kafka has sent nothing of {self._topic} for {self._silence_s:g} s")

    def _unreadable(self, problem: Exception) -> CommandError:
        return CommandError(f"the topic {self._topic} cannot be read: {problem!r}")
