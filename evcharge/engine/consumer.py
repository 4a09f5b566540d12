"""Delivers chunks one at a time, keeps track of which are done, commits source offsets.

Everything private of Faust and aiokafka that the lane leans on is used in this file, in
``consumer_driver.py``, ``intake.py``, ``batch_reader.py``, ``membership.py``, ``recovery.py`` and
``evcharge/kafka/lenient_fetch.py``; ``tests/engine/test_faust_seams.py`` fails when a release changes
it underneath.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from faust.transport.drivers.aiokafka import Consumer, ensure_aiokafka_TP
from faust.types import TP, ServiceT
from faust.types.tuples import ConsumerMessage, Message

from evcharge.engine.chunk import Chunk
from evcharge.engine.consumer_driver import ConsumerDriver, PausingListener
from evcharge.engine.failstop import fail_stop
from evcharge.engine.intake import Intake, Taken
from evcharge.engine.lookout import Lookout
from evcharge.engine.source_progress import SourceProgress

if TYPE_CHECKING:
    from evcharge.application import Application

MOST_CHUNKS_IN_FLIGHT = 8
"""Chunks of one partition between fetch and ack; beyond that nothing more of it is taken."""

MOST_BYTES_IN_FLIGHT = 16 << 20
"""About what the chunks between fetch and ack may take in memory together, whatever the backlog."""

CHUNK_BYTES = 4 << 20
"""About what one chunk may take in memory."""

POSITIONS_EVERY_S = 1.0
"""How often to look whether a partition of which nothing comes still stands where it was read to."""

DROPPED_S = 0.02
"""How often to look whether chunks that were dropped are gone."""

IDLE_S = 0.25
"""How long to wait for records before what else may have happened is looked at."""

TURN_EVERY_S, TURNS = 0.005, 4
"""How long steps may hold up the event loop before others have their turn; in so many rounds of it, a
request over HTTP is answered."""

_LOG_APPEND_TIME = 1
"""What Faust calls the kind of our timestamps, and never looks at."""


class ChunkConsumer(Consumer):
    """Delivers chunks to the conductor and commits up to the last chunk done, strictly in order."""

    RebalanceListener = PausingListener
    _thread: ConsumerDriver

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._progress: SourceProgress[TP] = SourceProgress(
            MOST_CHUNKS_IN_FLIGHT, MOST_BYTES_IN_FLIGHT
        )
        self._lacks_room = False
        """Whether records wait for room."""
        self._woken: asyncio.Future[None] | None = None
        self._compared_at = self._turned_at = float("-inf")
        super().__init__(*args, **kwargs)
        self._pace = cast("Application", self.app).lane.pace
        self.lookout = Lookout(self, loop=self.loop, beacon=self.beacon)
        self.add_dependency(self.lookout)

    @property
    def driver(self) -> ConsumerDriver:
        """What drives aiokafka's consumer."""
        return self._thread

    def _new_consumer_thread(self) -> ConsumerDriver:
        return ConsumerDriver(self, loop=self.loop, beacon=self.beacon)

    # -- delivery

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        """Deliver until the fetcher stops (Faust runs this as its fetch loop)."""
        try:
            intake = self._thread.intake()
            while not (self.should_stop or fetcher.should_stop):
                if not self.flow_active:
                    await self.wait(self.can_resume_flow)  # type: ignore[arg-type]
                    continue
                await self._compare_positions(intake)
                self._lacks_room = False
                taken = await intake.take(
                    self._has_room, self._pace.most_records, CHUNK_BYTES, self.next_offset
                )
                if taken is not None:
                    await self._deliver(taken)
                else:
                    await self._wait(intake)
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.transport.app.should_stop:
                raise

    def _has_room(self, tp: TP) -> bool:
        if tp not in self._active_partitions:
            return False
        has_room = self._progress.has_room(tp)
        self._lacks_room |= not has_room
        return has_room

    async def _wait(self, intake: Intake) -> None:
        """Wait until there is something to deliver, for a moment at most."""
        self._woken = asyncio.get_running_loop().create_future()
        await intake.wait(self._woken, IDLE_S)

    async def _compare_positions(self, intake: Intake) -> None:
        """Find partitions that aiokafka has set elsewhere, now that nothing taken is at hand.

        It does so when Kafka does not have what is to come, and says nothing.
        """
        now = monotonic()
        if now - self._compared_at > POSITIONS_EVERY_S:
            self._compared_at = now
            for tp, position in intake.positions().items():
                if tp in self._active_partitions:
                    await self._goes_on(tp, position)

    async def _goes_on(self, tp: TP, begin: int) -> bool:
        """Whether a partition is read on where it was read to, or from where Kafka still has it.

        Anything else ends the worker. It is False if a rebalance has positioned the partition.
        """
        expected = self._progress.next_offset(tp)
        if expected is None or begin == expected:
            return expected is not None
        went_on = (
            f"{tp.topic}/{tp.partition} went on at offset {begin} where {expected} was to come"
        )
        if begin < expected:
            # aiokafka goes to the first record also where the topic was made anew.
            fail_stop(f"{went_on}, as if the topic was made anew: going on could lose records")
        start = (await self._thread.starts([tp])).get(tp, 0)
        if not self.flow_active or self._progress.next_offset(tp) != expected:
            return False
        if start < begin:
            fail_stop(f"{went_on}, and Kafka has it from {start} on: going on could lose records")
        cast("Application", self.app).lane.losses.tell(tp.topic, tp.partition, expected, begin)
        self._progress.passed(tp, begin)
        return True

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def _deliver(self, taken: Taken) -> None:
        """Deliver a chunk and return when its step was computed, and others had their turn."""
        app = cast("Application", self.app)
        tp, records, _, begin, end = taken
        if not self.flow_active or not await self._goes_on(tp, begin):
            return
        app.lane.counters.add("offsets_skipped", tp.topic, end - begin - len(records))
        if not records:
            self._progress.passed(tp, end)
            return
        if records[0].offset < begin:
            fail_stop(
                f"{tp.topic}/{tp.partition} gave the record {records[0].offset} again, that is before"
                f" {begin}: going on could double records"
            )
        chunk = Chunk(tp.topic, tp.partition, records)
        last = records[-1]
        message = ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            _LOG_APPEND_TIME,
            [],
            None,
            chunk,  # type: ignore[arg-type]
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        self._progress.delivered(tp, last.offset, end, taken.bytes)
        computed = self._pace.deliver()
        if self.app.flow_control.is_active():
            await self.callback(message)
        else:
            # A rebalance must be able to interrupt a delivery that waits; it clears what was
            # delivered and seeks, so nothing is lost by it.
            await self.wait_first(self.callback(message), self.suspend_flow.wait())
        if self.flow_active:
            await computed
        if monotonic() - self._turned_at > TURN_EVERY_S:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            self._turned_at = monotonic()

    def stop_flow(self) -> None:
        """Deliver nothing more; who waits for a step need not wait any longer."""
        super().stop_flow()
        self._pace.abandon()
        self._wake()

    async def wait_empty(self) -> None:
        """Wait until what was delivered is durable, then commit."""
        lane = cast("Application", self.app).lane
        while not self.should_stop and self._unacked_messages:
            await lane.drained()
            self._clean_unacked_messages()
            if self._unacked_messages:
                # Dropped from a queue, where a cycle still holds it, or just about to be computed.
                gc.collect()
                await asyncio.sleep(DROPPED_S)
        await self.commit_and_end_transactions()

    async def on_task_error(self, exc: BaseException) -> None:
        """End the worker when an agent failed."""
        cast("Application", self.app).lane.give_up(exc)

    # -- positions

    def next_offset(self, tp: TP) -> int | None:
        """Return where the next fetch of a partition has to begin."""
        return self._progress.next_offset(tp)

    async def seek_sources(self, positions: Mapping[TP, int]) -> None:
        """Position partitions, forgetting what was delivered from them before."""
        for tp, offset in positions.items():
            self._progress.start(tp, offset)
        if positions:
            await self._thread.seek_wait({ensure_aiokafka_TP(tp): o for tp, o in positions.items()})
        self._wake()

    # -- acks and commits

    def ack(self, message: Message) -> bool:
        """Take a chunk as done; what can be committed moves only past chunks done in order."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        self._progress.done(message.tp, message.offset)
        if self._lacks_room:
            self._wake()
        return True

    def durable(self) -> Mapping[TP, int]:
        """Return the offset of each source partition before which everything is durable."""
        return self._progress.durable()

    def is_member(self) -> bool:
        """Whether Kafka, as far as one can know here, counts this worker among its group."""
        session_s = self.app.conf.broker_session_timeout
        return monotonic() - self.driver.confirmed_at() < session_s

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
