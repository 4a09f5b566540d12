"""The log of the application: Kafka, each changelog partition with one writer that Kafka lets in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from aiokafka.structs import TopicPartition

from evcharge.kafka.appends import Appends
from evcharge.kafka.fenced_writer import FencedWriter
from evcharge.kafka.inherited_ends import InheritedEnds
from evcharge.kafka.lost_ends import LostEnds
from evcharge.kafka.wire import Wire


class KafkaLog:
    """Makes fenced writers, which share connections and requests."""

    def __init__(
        self, bootstrap: Sequence[str], client_id: str, outputs: Sequence[str] = ()
    ) -> None:
        """``outputs``: full names of all topics that transactions write beside the changelogs."""
        self._wire = Wire(bootstrap, client_id)
        self._appends = Appends(self._wire)
        self._inherited = InheritedEnds(self._wire, outputs)
        self._lost_ends = LostEnds(self._wire, self._inherited)
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect to Kafka."""
        await self._wire.start()
        self._looking = asyncio.create_task(self._lost_ends.run(), name="lost-ends")

    async def stop(self) -> None:
        """Let what is to be ended be ended, for a few seconds, and close the connections."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
            await self._lost_ends.finish()
        await self._wire.stop()

    def writer(self, topic: str, partition: int) -> FencedWriter:
        """Return a writer of a changelog partition that has not yet taken it over.

        Its transactional id is the partition's name: whoever writes it, there is one at a time.
        """
        writer = FencedWriter(
            self._wire,
            self._appends,
            self._inherited,
            f"{topic}-{partition}",
            TopicPartition(topic, partition),
        )
        self._lost_ends.watch(writer)
        return writer
