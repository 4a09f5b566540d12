"""Ends transactions again whose end Kafka has told to nobody.

A transaction is over when its coordinator says so; readers with ``read_committed`` hear of it by a
marker in each partition. Kafka 4.3.1 leaves out the marker of a partition that has no leader at that
moment, for good: readers wait there, and do not see what is behind it. The next marker of the same
producer ends both transactions. A producer that goes on writes one anyway; for one that has nothing more
to say, this has it written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Protocol
from weakref import WeakSet

from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from evcharge.kafka.awake import SleptError
from evcharge.kafka.partition_ends import ends_of, named
from evcharge.kafka.wire import OvertakenError, Wire

logger = logging.getLogger(__name__)

EVERY_S = 1.0
"""Between two looks. Kafka writes markers within milliseconds after it has confirmed the end."""


class TransactionalWriter(Protocol):
    """A writer whose transactions are looked after."""

    unseen: dict[TopicPartition, int]
    """The last offset that it wrote in each partition whose readers may not know the end of it yet."""

    async def end_again(self, tps: Iterable[TopicPartition]) -> None:
        """Have Kafka write the markers of partitions; OvertakenError if another worker is the owner."""


class LostEnds:
    """Looks once a second at what was written a second ago, if nothing was written there since."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._writers: WeakSet[TransactionalWriter] = WeakSet()
        self._seen_before: dict[int, dict[TopicPartition, int]] = {}
        """What was unseen at the last look, by the identity of the writer."""

    def watch(self, writer: TransactionalWriter) -> None:
        """Look after a writer for as long as somebody has it."""
        self._writers.add(writer)

    async def run(self) -> None:
        """Look until it is cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except (KafkaError, SleptError) as problem:
                logger.warning("ends of transactions could not be looked at: %r", problem)

    async def look(self) -> None:
        """Forget what readers see by now; end again what was hidden from them at the last look too."""
        writers = list(self._writers)
        before, self._seen_before = (
            self._seen_before,
            {id(writer): dict(writer.unseen) for writer in writers},
        )
        due = {
            id(writer): {
                tp: offset
                for tp, offset in writer.unseen.items()
                if before.get(id(writer), {}).get(tp) == offset
            }
            for writer in writers
        }
        ends = await self._visible_ends({tp for offsets in due.values() for tp in offsets})
        await asyncio.gather(*(self._settle(each, due[id(each)], ends) for each in writers))

    async def _settle(
        self,
        writer: TransactionalWriter,
        offsets: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        answered = {tp: offset for tp, offset in offsets.items() if tp in ends}
        hidden = {tp for tp, offset in answered.items() if ends[tp] <= offset}
        for tp in answered.keys() - hidden:
            # It may have written more while Kafka was asked.
            if writer.unseen.get(tp) == answered[tp]:
                del writer.unseen[tp]
        if not hidden:
            return
        logger.warning(
            "readers do not see the end of a transaction, ending it again in %s",
            named(hidden),
        )
        try:
            await writer.end_again(hidden)
        except OvertakenError:
            # Whoever owns the partition now; our next write ends this worker.
            writer.unseen.clear()

    async def _visible_ends(self, tps: set[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return up to where readers see partitions, as far as Kafka tells now."""
        ends = await ends_of(self._wire, tps, READ_COMMITTED)
        if len(ends) < len(tps):
            await self._wire.look_again()
        return ends
