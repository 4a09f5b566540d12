"""The log of the application: Kafka, each changelog partition with one writer that Kafka lets in."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.structs import TopicPartition

from evcharge.kafka.appends import Appends
from evcharge.kafka.fenced_writer import FencedWriter
from evcharge.kafka.wire import Wire


class KafkaLog:
    """Makes fenced writers, which share connections and requests."""

    def __init__(self, bootstrap: Sequence[str], client_id: str) -> None:
        self._wire = Wire(bootstrap, client_id)
        self._appends = Appends(self._wire)

    async def start(self) -> None:
        """Connect to Kafka."""
        await self._wire.start()

    async def stop(self) -> None:
        """Close the connections."""
        await self._wire.stop()

    def writer(self, topic: str, partition: int) -> FencedWriter:
        """Return a writer of a changelog partition that has not yet taken it over.

        Its transactional id is the partition's name: whoever writes it, there is one at a time.
        """
        return FencedWriter(
            self._wire, self._appends, f"{topic}-{partition}", TopicPartition(topic, partition)
        )
