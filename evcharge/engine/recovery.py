"""Brings the tables of newly assigned partitions up to date before their first record.

Replaces the body of Faust's recovery service: rows are read in bulk with a consumer of our own and
written in batches, the source position comes from the state itself, and the flow opens only after
both. Faust still decides when (after every rebalance) and who (its assignor).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from aiokafka.structs import TopicPartition
from faust.tables import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from faust.types import TP
from mode import Service

from evcharge.engine.change_feed import Place
from evcharge.engine.consumer import ChunkConsumer
from evcharge.engine.failstop import fail_stop
from evcharge.engine.history import resume
from evcharge.engine.table import StateTable

if TYPE_CHECKING:
    from evcharge.application import Application

logger = logging.getLogger(__name__)


class BulkRecovery(Recovery):
    """Restores partitions, then positions the consumer and opens the flow."""

    @Service.task
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(self.signal_recovery_start):  # type: ignore[arg-type]
                return
            self.signal_recovery_start.clear()
            try:
                await self._wait(self._recover(self._generation_id))
            except RebalanceAgain:
                logger.info("another rebalance started: recovery starts over")
            except ServiceStopped:
                return
            except asyncio.CancelledError as problem:
                if self.should_stop:
                    raise
                # Nobody has stopped us: without this task the worker would never be ready again.
                fail_stop("restoring tables was cancelled from within", problem)
            except Exception as problem:  # noqa: BLE001 - whatever it is, only a restart helps
                fail_stop(f"tables could not be restored: {problem}", problem)

    async def on_shutdown(self) -> None:
        """Stop following changelogs: the stores of the copies are closed next."""
        await super().on_shutdown()
        await cast("Application", self.app).changelogs.halt()

    async def _recover(self, generation: int) -> None:
        app = cast("Application", self.app)
        self._set_recovery_started()
        app.recovered = False
        await app.before_first_record()
        await app.changelogs.halt()
        actives = {TP(tp.topic, tp.partition) for tp in self.active_tps}
        standbys = {TP(tp.topic, tp.partition) for tp in self.standby_tps} - actives
        for table in self._state_tables():
            mine, others = _partitions(table, actives), _partitions(table, standbys)
            for left in set(table.store.partitions()) - mine:
                app.lane.release(table, left)
            for left in set(table.store.partitions()) - mine - others:
                app.changelogs.forget([TopicPartition(table.changelog_topic_name, left)])
                table.store.close_partition(left)
            app.stale[table.name] = (app.stale[table.name] | app.readable[table.name]) & (
                mine | others
            )
            app.readable[table.name] &= mine
        await self._take_over(actives)
        for table in self._state_tables():
            mine = _partitions(table, actives)
            for number in mine - app.readable[table.name]:
                applied = table.partition(number).changelog_offset()
                app.lane.feed.begin(Place(table.name, number), -1 if applied is None else applied)
            app.readable[table.name] = mine
            app.stale[table.name] -= mine
        self._follow(standbys)
        self._set_recovery_ended()
        if app.consumer_generation_id != generation:
            logger.info("generation %s is over: recovery starts over", generation)
            return
        await self._open_flow()

    async def _open_flow(self) -> None:
        """Position the sources, then let records flow.

        In this order: what was delivered between the two would be dropped and its place forgotten.
        """
        app = cast("Application", self.app)
        consumer = cast("ChunkConsumer", app.consumer)
        sources = {tp for tp in consumer.assignment() if not self._is_changelog_tp(tp)}
        await consumer.seek_sources(await self._positions(sources))
        await app.on_rebalance_complete.send()
        consumer.resume_partitions(sources)
        app.recovered = True
        self.completed.set()
        app.flow_control.resume()
        consumer.resume_flow()
        await app._fetcher.maybe_start()  # noqa: SLF001 - as Faust's own recovery does
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        logger.info("worker ready with %d source partitions", len(sources))

    async def _positions(self, sources: set[TP]) -> Mapping[TP, int]:
        """Return where each source goes on, having pipelines forget those that were made anew."""
        app = cast("Application", self.app)
        driver = cast("ChunkConsumer", app.consumer).driver
        pipelines = {
            TopicPartition(*tp): app.lane.pipeline(app.table_of(tp.topic), tp.partition)
            for tp in sources
        }
        markers = {tp: pipeline.store.marker(tp.topic) for tp, pipeline in pipelines.items()}
        resumption = await resume(app.settings.bootstrap, markers, driver.committed)
        for tp, offset in resumption.lost_from.items():
            app.lane.losses.tell(tp.topic, tp.partition, offset, resumption.offsets[tp])
        for tp in resumption.anew:
            logger.error(
                "%s/%d is not what was read before: the topic was created anew. It is read from its"
                " beginning.",
                *tp,
            )
            pipelines[tp].forget_source(tp.topic)
        return {TP(*tp): offset for tp, offset in resumption.offsets.items()}

    def _state_tables(self) -> Iterable[StateTable]:
        return [table for table in self.tables.values() if isinstance(table, StateTable)]

    def _stores(self, changelogs: set[TP]) -> dict[TopicPartition, tuple[StateTable, int]]:
        """Return the table and partition of each changelog partition."""
        by_topic = {table.changelog_topic_name: table for table in self._state_tables()}
        return {TopicPartition(*tp): (by_topic[tp.topic], tp.partition) for tp in changelogs}

    async def _take_over(self, changelogs: set[TP]) -> None:
        """Become the only writer of partitions and bring them up to their changelogs."""
        app = cast("Application", self.app)
        tables = self._stores(changelogs)
        await app.changelogs.take_over(
            {tp: table.partition(number) for tp, (table, number) in tables.items()},
            {tp: app.lane.writer(*of) for tp, of in tables.items()},
            lambda tp: app.lane.forget(*tables[tp]),
            self._dropped,
        )

    def _follow(self, changelogs: set[TP]) -> None:
        """Keep partitions of other workers near at hand."""
        app = cast("Application", self.app)
        tables = self._stores(changelogs)

        def complete(tp: TopicPartition) -> None:
            table, number = tables[tp]
            app.stale[table.name].add(number)

        app.changelogs.follow(
            {tp: table.partition(number) for tp, (table, number) in tables.items()},
            complete,
            self._dropped,
        )

    def _dropped(self, changelog: TopicPartition) -> None:
        """Have nobody read rows that were found to be of another history."""
        ((table, number),) = self._stores({TP(*changelog)}).values()
        cast("Application", self.app).stale[table.name].discard(number)


def _partitions(table: StateTable, changelogs: set[TP]) -> set[int]:
    """Return which partitions of a table are among changelog partitions."""
    return {tp.partition for tp in changelogs if tp.topic == table.changelog_topic_name}


class LaneTableManager(TableManager):
    """Faust's table manager with our recovery."""

    async def on_start(self) -> None:
        """Register the tables at once: Faust first sleeps a second in case that more are declared."""
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        """Recovery service used by this table manager."""
        if self._recovery is None:
            self._recovery = BulkRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
