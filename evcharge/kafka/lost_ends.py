"""Ends transactions again whose end Kafka has told to nobody.

A transaction is over when its coordinator says so; readers with ``read_committed`` hear of it by a
marker in each partition. Kafka 4.3.1 leaves out the marker of a partition that has no leader at that
moment, for good: readers wait there, and do not see what is behind it. The next marker of the same
producer ends both transactions. A producer that goes on writes one anyway; for one that has nothing more
to say, this has it written. What a writer has inherited, and what keeps it from being forgotten, is seen
to here too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from evcharge.errors import EvchargeError
from evcharge.kafka.inherited_ends import InheritedEnds, Look
from evcharge.kafka.partition_ends import named
from evcharge.kafka.wire import Wire

logger = logging.getLogger(__name__)

EVERY_S = 1.0
"""Between two looks. Kafka writes markers within milliseconds after it has confirmed the end."""

FINISH_S = 5.0
"""So long a worker that stops waits for what is under way: a transaction that makes up for a marker, cut
short, would be aborted by the next owner, and what was committed before with it."""


class TransactionalWriter(Protocol):
    """A writer whose transactions are looked after."""

    unseen: dict[TopicPartition, int]
    """The last offset that it wrote in each partition whose readers may not know the end of it yet."""

    @property
    def producer_id(self) -> int:
        """Whose transactions they are."""

    @property
    def succeeding(self) -> asyncio.Task[None] | None:
        """Its succession, over or not: only that knows how what it found is to be ended."""

    async def end_again(self, hidden: Mapping[TopicPartition, int]) -> None:
        """Have Kafka write the markers of partitions, if what was unseen there still is the last."""

    @property
    def needs_upkeep(self) -> bool:
        """Whether there is something to do for :meth:`upkeep`."""

    async def upkeep(self) -> None:
        """Do what keeps readers and the coordinator informed, beside that."""


class LostEnds:
    """Looks once a second at what was written a second ago, if nothing was written there since."""

    def __init__(self, wire: Wire, inherited: InheritedEnds) -> None:
        self._wire = wire
        self._inherited = inherited
        self._writers: WeakSet[TransactionalWriter] = WeakSet()
        self._seen_before: WeakKeyDictionary[TransactionalWriter, dict[TopicPartition, int]] = (
            WeakKeyDictionary()
        )
        """What was unseen at the last look."""
        self._care: dict[TransactionalWriter, asyncio.Task[None]] = {}
        """What is being done for a writer. One that has to wait does not hold up the others."""

    def watch(self, writer: TransactionalWriter) -> None:
        """Look after a writer for as long as somebody has it."""
        self._writers.add(writer)

    async def run(self) -> None:
        """Look until it is cancelled; what is being done then goes on."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except (KafkaError, EvchargeError) as problem:
                logger.warning("ends of transactions could not be looked at: %r", problem)

    async def finish(self) -> None:
        """Return when nothing is under way any more, at the latest after ``FINISH_S``."""
        successions = (writer.succeeding for writer in self._writers)
        under_way = {*self._care.values(), *(each for each in successions if each is not None)}
        if not under_way:
            return
        _, late = await asyncio.wait(under_way, timeout=FINISH_S)
        if late:
            logger.warning("%d ends of transactions are left to the next owners", len(late))
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def look(self) -> Collection[asyncio.Task[None]]:
        """Forget what is over for leaders by now; begin to end what was open at the last look too.

        Behind another producer's open transaction is over too. Returns what is being done now.
        """
        writers = [writer for writer in self._writers if writer not in self._care]
        due = {writer: self._due(writer) for writer in writers}
        look = await self._look({tp for offsets in due.values() for tp in offsets})
        for writer, offsets in due.items():
            hidden = _hidden(writer, offsets, look)
            if hidden or writer.needs_upkeep:
                self._care[writer] = asyncio.create_task(self._see_to(writer, hidden))
        return list(self._care.values())

    def _due(self, writer: TransactionalWriter) -> Mapping[TopicPartition, int]:
        """Return what was unseen at the last look and still is."""
        before = self._seen_before.get(writer, {})
        self._seen_before[writer] = dict(writer.unseen)
        return {tp: at for tp, at in writer.unseen.items() if before.get(tp) == at}

    async def _see_to(
        self, writer: TransactionalWriter, hidden: Mapping[TopicPartition, int]
    ) -> None:
        try:
            if writer.needs_upkeep:
                await writer.upkeep()
            if hidden:
                logger.warning(
                    "readers do not see the end of a transaction, ending it again in %s",
                    named(hidden),
                )
                await writer.end_again(hidden)
        except (KafkaError, EvchargeError) as problem:
            logger.error("the end of a transaction could not be told again: %s", problem)  # noqa: TRY400
        finally:
            del self._care[writer]

    async def _look(self, tps: set[TopicPartition]) -> Look:
        """Return what is open in partitions, as far as Kafka tells now."""
        if not tps:
            return Look()
        look = await self._inherited.look(tps)
        if look.silent:
            await self._wire.look_again()
        return look


def _hidden(
    writer: TransactionalWriter, offsets: Mapping[TopicPartition, int], look: Look
) -> Mapping[TopicPartition, int]:
    """Forget what is over, in deleted topics too, return what is not; of others nobody has told."""
    answered = {tp: offset for tp, offset in offsets.items() if tp not in look.silent}
    open_ones = look.open_of(writer.producer_id)
    hidden = {tp: offset for tp, offset in answered.items() if tp in open_ones}
    for tp in answered.keys() - hidden.keys():
        # It may have written more while Kafka was asked.
        if writer.unseen.get(tp) == answered[tp]:
            del writer.unseen[tp]
    return hidden
