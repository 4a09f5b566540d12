"""Builds the Faust application from the settings: nothing of it is specific to an event."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import faust
from faust.types import TransportT
from faust.web.drivers.aiohttp import Web
from mode.supervisors import CrashingSupervisor

from evcharge.dead_letters.made import dead_letter
from evcharge.domain.billing.series import LANES
from evcharge.engine.assignor import LaneAssignor
from evcharge.engine.changelogs import Changelogs
from evcharge.engine.claim import claim, identity, require_port
from evcharge.engine.collector import collect_seldom
from evcharge.engine.consumer import ChunkConsumer
from evcharge.engine.failstop import fail_stop
from evcharge.engine.forwarding import SUFFIX
from evcharge.engine.lane import Lane
from evcharge.engine.quiet import LaneWorker, hold_back_repetitions
from evcharge.engine.recovery import LaneTableManager
from evcharge.engine.table import StateTable
from evcharge.engine.topic import ChunkTopic
from evcharge.engine.transport import ChunkTransport
from evcharge.errors import EvchargeError
from evcharge.kafka.fenced_log import KafkaLog
from evcharge.kafka.log import Log
from evcharge.kafka.memory_log import MemoryLog
from evcharge.kafka.partitioning import Partitioner
from evcharge.reference.desk import ReferenceDesk
from evcharge.reference.reference import Reference
from evcharge.settings import Settings
from evcharge.topics import OUTPUT_TOPICS, changelog_topic, ensure_topics

logger = logging.getLogger(__name__)

CACHED_BYTES = 32 << 20
"""Of the rows that a worker keeps in memory beside RocksDB's own cache."""

STOP_PATIENCE_S = 15.0


class Application(faust.App):
    """A Faust application whose agents consume chunks and whose tables are written by the lane."""

    def __init__(self, settings: Settings, *, in_memory: bool = False) -> None:
        """Build from settings; ``in_memory`` replaces Kafka and RocksDB for tests of agents."""
        self.settings = settings
        self.in_memory = in_memory
        self.lane = Lane(
            log=self._new_log(),
            partitioner=Partitioner(settings.partitions),
            dead_letter=partial(dead_letter, settings.topic("dead-letters")),
            cached_bytes=CACHED_BYTES,
            most_records=settings.chunk_records,
        )
        self.reference = Reference(settings, in_memory=in_memory)
        self.desk = ReferenceDesk(self.reference, settings)
        """Terms and tariffs of sessions, as they are known now."""
        self.lane_of = Partitioner(LANES).partition_of
        """Gives a station's lane, which numbers of invoices are counted in."""
        self.readable: defaultdict[str, set[int]] = defaultdict(set)
        """Partitions of each table, by name, that are assigned here and were restored."""
        self.stale: defaultdict[str, set[int]] = defaultdict(set)
        """Partitions whose rows are here, of a moment ago: another worker's, or not yet taken over."""
        self.changelogs = Changelogs(
            settings.bootstrap, f"{settings.app_id}-{settings.name}-tables", fail_stop
        )
        self.recovered = False
        """Whether this worker is a member of the group and has restored what it was assigned."""
        self.group_instance_id = settings.instance_id
        """By which Kafka knows this worker again after a restart; final before it joins the group."""
        self.on_web_app: Callable[[Any], None] | None = None
        """Called once with the aiohttp application before the web server takes its routes."""
        self._tables_by_topic: dict[str, StateTable] = {}
        self._prepared: asyncio.Task[None] | None = None
        super().__init__(settings.app_id, **faust_settings(settings, in_memory=in_memory))

    def _new_log(self) -> Log:
        if self.in_memory:
            return MemoryLog()
        settings = self.settings
        return KafkaLog(
            settings.bootstrap,
            f"{settings.app_id}-{settings.name}-lane",
            [settings.topic(each.name) for each in OUTPUT_TOPICS],
        )

    def _new_transport(self) -> TransportT:
        return ChunkTransport(self.conf.broker_consumer, self)

    def state_table(self, name: str) -> StateTable:
        """Declare a table."""
        changelog = faust.Topic(
            self,
            topics=[self.settings.topic(changelog_topic(self.settings, name).name)],
            key_type=bytes,
            value_type=bytes,
            partitions=self.settings.partitions,
            compacting=True,
            internal=True,
        )
        table = StateTable(
            self,
            name=name,
            partitions=self.settings.partitions,
            changelog_topic=changelog,
            help=name,
        )
        self.tables.add(table)
        return table

    def chunk_agent(
        self, topic: str, table: StateTable, *, rerouted: bool = True
    ) -> Callable[[Callable[..., Any]], faust.Agent]:
        """Declare an agent that writes ``table`` from ``topic``, and from its rerouted records if any.

        Several agents of one table write it through its one pipeline of each partition. Agents are
        named after their topic, not their module: names are storage in Faust. Whatever raises in an
        agent is not a bad record but a bug or a broken world, so the worker ends.
        """
        sources = [self.settings.topic(topic)]
        if rerouted:
            sources.append(sources[0] + SUFFIX)
        self._tables_by_topic.update(dict.fromkeys(sources, table))
        return self.agent(  # type: ignore[return-value]
            ChunkTopic(self, topics=sources),
            name=topic,
            supervisor_strategy=CrashingSupervisor,
        )

    def table_of(self, topic: str) -> StateTable:
        """Return the table that is written from a source topic."""
        return self._tables_by_topic[topic]

    def worker_init_post_autodiscover(self) -> None:
        """Add our routes before Faust's, whose first page would take ``/``."""
        if self.on_web_app is not None:
            self.on_web_app(cast("Web", self.web).web_app)
        super().worker_init_post_autodiscover()

    def lag(self) -> Mapping[tuple[str, int], int]:
        """Return how many records of each source partition are not durable yet, a second ago."""
        consumer = self._consumer
        return consumer.lookout.lag if isinstance(consumer, ChunkConsumer) else {}

    @property
    def is_member(self) -> bool:
        """Whether this worker is in the group, as far as Kafka has told within a session."""
        return isinstance(self._consumer, ChunkConsumer) and self._consumer.is_member()

    # -- life

    async def on_first_start(self) -> None:
        """Prepare what the worker needs before it joins the group."""
        await super().on_first_start()
        if not self.in_memory and not (self.client_only or self.producer_only):
            hold_back_repetitions()
            try:
                claim(self.settings.data_dir)
                self.group_instance_id = self.settings.instance_id or identity(
                    self.settings.data_dir
                )
                require_port(self.conf.web_bind, self.conf.web_port)
                report = await ensure_topics(self.settings)
            except EvchargeError as problem:
                # Nothing was started yet that wants to be stopped. Raised further, Faust would bury the
                # sentence between two tracebacks.
                fail_stop(str(problem), problem)
            for difference in report.differences:
                logger.warning("topic %s", difference)
            collect_seldom()
            # While the group gives this worker its share.
            self._prepare_once()

    async def before_first_record(self) -> None:
        """Start the producer and read the reference data to its end, once.

        A rebalance may cancel the caller at any moment, and then calls again: the work itself goes on.
        """
        await asyncio.shield(self._prepare_once())

    def _prepare_once(self) -> asyncio.Task[None]:
        if self._prepared is None:
            self._prepared = asyncio.create_task(self._prepare(), name="before-first-record")
        return self._prepared

    async def _prepare(self) -> None:
        if self.settings.billing and not self.settings.issuer_name:
            logger.warning("EVCHARGE_ISSUER_NAME is not set: invoices will name nobody as issuer")
        await self.lane.log.start()
        if not self.in_memory:
            await self.changelogs.start()
        await self.reference.start(on_failure=fail_stop)

    async def on_stop(self) -> None:
        """Stop consuming, make durable what was computed, stop producing."""
        # Without Kafka nothing becomes durable, and Faust would wait for it for ever.
        asyncio.get_running_loop().call_later(
            STOP_PATIENCE_S,
            fail_stop,
            f"Kafka did not take within {STOP_PATIENCE_S:g} s what was computed last; it will be"
            " computed again at the next start",
        )
        await super().on_stop()
        if self._prepared is not None:
            await self._prepared
            await self.lane.drained()
            await self.changelogs.stop()
            await self.reference.stop()
            await self.lane.log.stop()


def faust_settings(settings: Settings, *, in_memory: bool) -> dict[str, Any]:
    """Translate the settings into Faust's."""
    return {
        "broker": settings.broker,
        "broker_client_id": f"{settings.app_id}-{settings.name}",
        "store": "memory://" if in_memory else "rocksdb://",
        "datadir": str(settings.data_dir),
        "autodiscover": False,
        "origin": "evcharge",
        "TableManager": LaneTableManager,
        "PartitionAssignor": LaneAssignor,
        "Worker": LaneWorker,
        "topic_partitions": settings.partitions,
        "topic_replication_factor": settings.replication,
        # Topics are created by evcharge.topics, with all of their configuration.
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "table_standby_replicas": settings.standby_replicas,
        "processing_guarantee": "at_least_once",
        "broker_session_timeout": float(settings.session_timeout_s),
        # Also how long a member takes to hear of a rebalance.
        "broker_heartbeat_interval": min(0.5, settings.session_timeout_s / 4),
        "broker_request_timeout": 40.0,
        "broker_commit_interval": 1.0,
        "broker_commit_every": 1_000_000,
        "consumer_auto_offset_reset": "earliest",
        "stream_wait_empty": True,
        "web_bind": settings.web_host,
        "web_host": settings.web_host,
        "web_port": settings.web_port,
        "canonical_url": settings.url,
        "web_tables_enabled": False,
        "web_router_enabled": False,
        "web_graph_enabled": False,
        "web_stats_enabled": False,
        "web_metrics_enabled": False,
    }
