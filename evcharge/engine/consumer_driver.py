"""aiokafka's consumer as Faust's consumer drives it, in the worker's own event loop.

Faust gives it a thread. A thread costs two switches for every fetch, and beside a step that computes it
waits for the interpreter all the same; and its heartbeats would keep a worker in the group whose event
loop hangs. Steps are short (``pace.py``), so that the heartbeats of this loop are never late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    ConsumerRebalanceListener,
    ensure_aiokafka_TP,
    server_list,
)
from faust.types import TP
from mode.utils.futures import maybe_async

from evcharge.engine.failstop import fail_stop
from evcharge.engine.intake import PATIENT_WAIT_MS, Intake
from evcharge.engine.membership import NEVER, GroupMember

if TYPE_CHECKING:
    from evcharge.application import Application
    from evcharge.engine.consumer import ChunkConsumer

FETCH_PARTITION_BYTES = 1 << 20
"""Most that Kafka sends of one partition at a time, unless one record batch alone is larger."""

FETCH_BYTES = 8 << 20
"""Most that a broker sends at a time: with it, what waits in memory has a bound under any backlog."""


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


class ConsumerDriver(AIOKafkaConsumerThread):
    """What Faust takes for a consumer thread: no thread, and a consumer set up for chunks."""

    consumer: ChunkConsumer

    def __init__(
        self, consumer: ChunkConsumer, *, loop: asyncio.AbstractEventLoop, **kw: Any
    ) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, **kw)

    # -- in place of a thread

    async def start(self) -> None:
        """Start in the loop of the caller."""
        self._thread_started.set()
        await self._default_start()

    async def stop(self) -> None:
        """Leave the group and close the connections."""
        if self._started.is_set() and not self._stopped.is_set():
            self._stopped.set()
            await self.on_thread_stop()
            await self._default_stop_children()
            self._shutdown.set()
            await self._default_stop_futures()
            await self._default_stop_exit_stacks()

    async def call_thread(self, fun: Callable[..., Awaitable[Any]], *args: Any, **kw: Any) -> Any:
        """Call ``fun`` here."""
        return await maybe_async(fun(*args, **kw))

    # -- the consumer

    def _create_worker_consumer(self, transport: Any) -> GroupMember:
        app = cast("Application", self.app)
        conf = app.conf
        # Faust keeps the assignor here so that its consumer hands it to aiokafka.
        self._assignor = app.assignor
        return GroupMember(
            on_replaced=_end_replaced,
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=app.group_instance_id,
            bootstrap_servers=server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 0) * 1000),
            max_partition_fetch_bytes=FETCH_PARTITION_BYTES,
            fetch_max_bytes=FETCH_BYTES,
            fetch_max_wait_ms=PATIENT_WAIT_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            isolation_level="read_committed",
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
        )

    @property
    def member(self) -> GroupMember:
        """The consumer, a member of the group."""
        return cast("GroupMember", self._ensure_consumer())

    def confirmed_at(self) -> float:
        """When Kafka last said that this worker is a member (``time.monotonic``)."""
        return NEVER if self._consumer is None else self.member.confirmed_at()

    def intake(self) -> Intake:
        """Return what hands out the records that are fetched."""
        return Intake(self.member)

    async def ends(self, tps: Iterable[TP]) -> Mapping[TP, int]:
        """Return where partitions that are assigned end now."""
        asked = [ensure_aiokafka_TP(tp) for tp in set(tps) & self.assignment()]
        ends = await self.member.end_offsets(asked)
        return {faust_tp(tp): end for tp, end in ends.items()}

    async def starts(self, tps: Iterable[TP]) -> Mapping[TP, int]:
        """Return the first offset that Kafka still has of partitions that are assigned."""
        asked = [ensure_aiokafka_TP(tp) for tp in set(tps) & self.assignment()]
        starts = await self.member.beginning_offsets(asked)
        return {faust_tp(tp): start for tp, start in starts.items()}

    async def committed(self, tp: Any) -> int | None:
        """Return the offset that the group has committed last of a partition, if any."""
        offset: int | None = await self.member.committed(tp)
        return offset

    async def refresh(self) -> bool:
        """Ask Kafka for its metadata; return whether it answered."""
        answered: bool = await self.member._client.force_metadata_update()  # noqa: SLF001
        return answered

    async def writable(self, insync: int) -> bool:
        """Return whether every assigned partition has a leader and enough copies to be written."""
        if not await self.refresh():
            return False
        partitions = self.member._client.cluster._partitions  # noqa: SLF001 - nowhere else
        found = [partitions.get(tp.topic, {}).get(tp.partition) for tp in self.member.assignment()]
        return all(each and each.leader != -1 and len(each.isr) >= insync for each in found)

    def vanished(self) -> set[str]:
        """Return our topics that Kafka, as far as it answers, does not have any more."""
        cluster = self.member._client.cluster  # noqa: SLF001 - nowhere else
        topics: set[str] = set(self.member.subscription())
        return {topic for topic in topics if cluster.partitions_for_topic(topic) is None}


def _end_replaced(instance_id: str) -> None:
    fail_stop(
        f"another process has joined the group as {instance_id}: every worker needs an"
        " EVCHARGE_INSTANCE_ID, or without one a data directory, of its own"
    )
