"""aiokafka's consumer in Faust's consumer thread, set up for chunks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import aiokafka
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    ConsumerRebalanceListener,
    ensure_aiokafka_TP,
    server_list,
)
from faust.types import TP

from evcharge.kafka.lenient_fetch import unblock

if TYPE_CHECKING:
    from evcharge.engine.consumer import ChunkConsumer


def faust_tp(tp: Any) -> TP:
    """Return aiokafka's topic and partition as Faust's."""
    return TP(tp.topic, tp.partition)


class PausingListener(ConsumerRebalanceListener):
    """Pauses changelog partitions as soon as they are assigned.

    They are assigned for ownership and routing only. Left alone, aiokafka would prefetch them, and
    because nobody consumes what it fetched, stop fetching anything else from their broker.
    """

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Call when partitions are being assigned."""
        thread = self._thread
        changelogs = thread.app.tables.changelog_topics
        consumer = thread._ensure_consumer()  # noqa: SLF001 - the thread is Faust's
        consumer.pause(*(tp for tp in assigned if tp.topic in changelogs))
        await super().on_partitions_assigned(assigned)


class ChunkConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread with an aiokafka consumer set up for chunks."""

    consumer: ChunkConsumer

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        # Faust keeps the assignor here so that its consumer hands it to aiokafka.
        self._assignor = self.app.assignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            bootstrap_servers=server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 0) * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            # The broker answers as soon as there is a record: latency counts more than requests.
            fetch_max_wait_ms=500,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            isolation_level="read_committed",
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
        )

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,
    ) -> Any:
        try:
            return await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        except UnicodeDecodeError:
            await unblock(consumer, active_partitions, self.consumer.next_offset)
            return {}

    async def ends(self, tps: Iterable[TP]) -> Mapping[TP, int]:
        """Return where partitions that are assigned end now."""
        found: Mapping[TP, int] = await self.call_thread(self._ends, set(tps))
        return found

    async def _ends(self, tps: set[TP]) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        ends = await consumer.end_offsets(
            [ensure_aiokafka_TP(tp) for tp in tps & self.assignment()]
        )
        return {faust_tp(tp): end for tp, end in ends.items()}

    async def fetch_positions(self, tps: Iterable[TP]) -> Mapping[TP, int]:
        """Return from where assigned partitions are fetched next."""
        found: Mapping[TP, int] = await self.call_thread(self._fetch_positions, set(tps))
        return found

    async def _fetch_positions(self, tps: set[TP]) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        return {
            tp: await consumer.position(ensure_aiokafka_TP(tp)) for tp in tps & self.assignment()
        }

    def vanished(self) -> set[str]:
        """Return our topics that Kafka, as far as it answers, does not have any more."""
        consumer = self._ensure_consumer()
        cluster = consumer._client.cluster  # noqa: SLF001 - nowhere else
        topics: set[str] = set(consumer.subscription())
        return {topic for topic in topics if cluster.partitions_for_topic(topic) is None}

    async def rewind(self, positions: Mapping[TP, int]) -> None:
        """Seek partitions that are still assigned back to where delivery stopped."""
        await self.call_thread(self._rewind, dict(positions))

    async def _rewind(self, positions: Mapping[TP, int]) -> None:
        assigned = self.assignment()
        for tp, offset in positions.items():
            if tp in assigned:
                self.seek(ensure_aiokafka_TP(tp), offset)
