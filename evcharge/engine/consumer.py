"""Fetches chunks, keeps track of which are done, commits source offsets.

Everything private of Faust and aiokafka that the lane leans on is used in this file, in
``consumer_thread.py``, ``recovery.py`` and ``evcharge/kafka/lenient_fetch.py``;
``tests/engine/test_faust_seams.py`` fails when a release changes it underneath.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport.drivers.aiokafka import Consumer, ensure_aiokafka_TP
from faust.types import TP, ServiceT
from faust.types.tuples import ConsumerMessage, Message
from mode import Service

from evcharge.engine.chunk import Chunk
from evcharge.engine.consumer_thread import ChunkConsumerThread, PausingListener, faust_tp
from evcharge.engine.failstop import fail_stop
from evcharge.engine.source_progress import SourceProgress

if TYPE_CHECKING:
    from evcharge.application import Application

MOST_CHUNKS_IN_FLIGHT = 3
"""Chunks of one partition between fetch and ack; beyond that it is not fetched."""

LAG_EVERY_S = 1.0

TOPICS_EVERY_S = 2.0

TOPIC_PATIENCE_S = 10.0

FETCH_WAIT_S = 0.25
"""How long a fetch may wait for records before partitions that have room again are looked at."""


class ChunkConsumer(Consumer):
    """Delivers chunks to the conductor and commits up to the last chunk done, strictly in order."""

    RebalanceListener = PausingListener
    _thread: ChunkConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._progress: SourceProgress[TP] = SourceProgress(MOST_CHUNKS_IN_FLIGHT)
        self._epoch = 0
        """Counts seeks: records of a fetch that began before one belong to an old position."""
        self._room = asyncio.Event()
        self._lag: Mapping[tuple[str, int], int] = {}
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def discard(self) -> None:
        """Free what Faust made for a consumer that never started (tests of agents)."""
        self._thread.thread_loop.close()

    # -- delivery

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        """Fetch and deliver until the fetcher stops (Faust runs this as its fetch loop)."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                tps = await self._fetchable()
                if not tps:
                    continue
                epoch = self._epoch
                fetched = await self._thread.getmany(tps, timeout=FETCH_WAIT_S)
                if epoch != self._epoch or not self.flow_active:
                    await self._rewind(map(faust_tp, fetched))
                    continue
                for tp, records in fetched.items():
                    if epoch != self._epoch:
                        # A seek came in between: it decides where to go on.
                        break
                    await self._deliver(faust_tp(tp), records)
                if not fetched:
                    await self._pass_markers(tps)
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.transport.app.should_stop:
                raise

    async def _fetchable(self) -> set[TP]:
        """Return the partitions to fetch from now, or nothing after waiting a moment for some."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)  # type: ignore[arg-type]
            return set()
        tps = {tp for tp in self._active_partitions if self._progress.has_room(tp)}
        if not tps:
            self._room.clear()
            try:
                await asyncio.wait_for(self._room.wait(), FETCH_WAIT_S)
            except TimeoutError:
                pass
        return tps

    async def _pass_markers(self, tps: Iterable[TP]) -> None:
        """Take note of what aiokafka passed without a record: transaction markers, aborted records.

        Only after a fetch that found nothing: then nothing fetched waits to be delivered.
        """
        epoch = self._epoch
        for tp, position in (await self._thread.fetch_positions(tps)).items():
            if epoch == self._epoch:
                self._progress.passed(tp, position)

    async def _rewind(self, tps: Iterable[TP]) -> None:
        """Give back what was fetched from a position that is not valid any more."""
        offsets = {tp: self._progress.next_offset(tp) for tp in tps}
        await self._thread.rewind({tp: o for tp, o in offsets.items() if o is not None})

    async def _deliver(self, tp: TP, records: Sequence[Any]) -> None:
        app = cast("Application", self.app)
        expected = self._progress.next_offset(tp)
        if expected is None or not self.flow_active:
            return
        if records[0].offset < expected:
            records = [record for record in records if record.offset >= expected]
            if not records:
                return
        if records[0].offset > expected:
            app.lane.counters.add("offsets_skipped", tp.topic, records[0].offset - expected)
        chunk = Chunk(tp.topic, tp.partition, records)
        last = records[-1]
        message = ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            [],
            None,
            chunk,  # type: ignore[arg-type]
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        self._progress.delivered(tp, last.offset)
        # A rebalance must be able to interrupt a delivery that waits; it clears what was delivered
        # and seeks, so nothing is lost by it.
        await self.wait_first(self.callback(message), self.suspend_flow.wait())

    # -- positions

    def next_offset(self, tp: TP) -> int | None:
        """Return the offset of the next record to deliver (also asked by the fetching thread)."""
        return self._progress.next_offset(tp)

    async def seek_sources(self, positions: Mapping[TP, int]) -> None:
        """Position partitions, forgetting what was delivered from them before."""
        self._epoch += 1
        for tp, offset in positions.items():
            self._progress.start(tp, offset)
        if positions:
            await self._thread.seek_wait({ensure_aiokafka_TP(tp): o for tp, o in positions.items()})
        self._room.set()

    # -- acks and commits

    def ack(self, message: Message) -> bool:
        """Take a chunk as done; what can be committed moves only past chunks done in order."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        self._progress.done(message.tp, message.offset)
        self._room.set()
        waiting = self._waiting_for_ack
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        return True

    def lag(self) -> Mapping[tuple[str, int], int]:
        """Return how many records of each source partition were not durable at the last look."""
        return self._lag

    @Service.task
    async def _watch_lag(self) -> None:
        async for _ in self.itertimer(LAG_EVERY_S, name="lag"):
            if self.flow_active and not self.app.rebalancing:
                await self._look_at_lag()

    @Service.task
    async def _watch_topics(self) -> None:
        """End the worker when a topic is gone for good: at its next start it creates it anew.

        That happens when Kafka came back empty. A topic that is only created anew is soon there again.
        """
        since: dict[str, float] = {}
        async for _ in self.itertimer(TOPICS_EVERY_S, name="topics"):
            vanished = self._thread.vanished()
            since = {topic: since.get(topic, monotonic()) for topic in vanished}
            gone = [topic for topic, at in since.items() if monotonic() - at > TOPIC_PATIENCE_S]
            if gone:
                fail_stop(f"Kafka has no topic {min(gone)} any more, was it emptied?")

    async def _look_at_lag(self) -> None:
        before = dict(self._progress.durable())
        try:
            ends = await self._thread.ends(before)
        except (KafkaError, ConsumerStoppedError):
            return
        self._lag = {(tp.topic, tp.partition): max(0, end - before[tp]) for tp, end in ends.items()}

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (
            tp
            for tp in list(self._progress.durable())
            if topics is None or tp in topics or tp.topic in topics
        )

    def _new_offset(self, tp: TP) -> int | None:
        return self._progress.durable().get(tp)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish and commit what was delivered, then forget the partitions."""
        cast("Application", self.app).recovered = False
        await super().on_partitions_revoked(revoked)
        self._progress.forget(revoked)
