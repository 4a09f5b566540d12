"""Follows the reference topics: reads them to the end found at the start, then goes on reading."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError, OffsetOutOfRangeError

from evcharge.errors import EvchargeError
from evcharge.kafka.admin import KafkaAdmin
from evcharge.kafka.closing import close
from evcharge.kafka.lenient_fetch import fetch
from evcharge.reference.feed import Feed, ReferenceRecord
from evcharge.settings import Settings

logger = logging.getLogger(__name__)

_POLL_MS = 200
_CHUNK_RECORDS = 500
"""Bounds how long the event loop waits for a chunk to be decoded."""
_RETRY_S = 1.0


class ReferenceFollower:
    """Reads the one partition of each reference topic into its feed, without a consumer group.

    Lost brokers are waited for. Anything else that ends the reading is reported to ``on_failure``:
    a worker whose reference data stand still must not go on. Nor must one whose topics are others than
    those that it has read: what it seals while it reads them anew has the default tariff for ever.
    """

    def __init__(
        self,
        settings: Settings,
        feeds: Sequence[Feed],
        on_failure: Callable[[str, BaseException], object],
    ) -> None:
        self._settings = settings
        self._feeds = {TopicPartition(settings.topic(feed.topic), 0): feed for feed in feeds}
        self._on_failure = on_failure
        self._ends: dict[TopicPartition, int] = {}
        self._resumed: set[TopicPartition] = set()
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def caught_up(self) -> bool:
        """Whether everything was read that was there at the start."""
        return self._caught_up.is_set()

    async def start(self) -> None:
        """Return when every topic was read to the end found now; reading goes on from there.

        Raises:
            EvchargeError: a topic does not exist, or the first reading failed.
        """
        async with KafkaAdmin(self._settings.bootstrap) as kafka:
            names = [tp.topic for tp in self._feeds]
            if missing := set(names) - set(await kafka.describe(names)):
                raise EvchargeError(
                    f"the topic {min(missing)} does not exist: create it with"
                    " `python -m evcharge topics`"
                )
        self._task = asyncio.create_task(self._follow(), name="reference-follower")
        caught_up = asyncio.create_task(self._caught_up.wait())
        try:
            await asyncio.wait({self._task, caught_up}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            await self.stop()
            raise
        finally:
            caught_up.cancel()
        if self._task.done():
            raise _end_of(self._task)
        self._task.add_done_callback(self._report)

    async def stop(self) -> None:
        """End the reading. Harmless if it does not run."""
        if self._task is not None:
            self._task.remove_done_callback(self._report)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._task
            self._task = None

    def _report(self, task: asyncio.Task[None]) -> None:
        problem = _end_of(task)
        self._on_failure(f"the reference data can be read no longer: {problem}", problem)

    async def _follow(self) -> None:
        """Read for ever, with a new consumer whenever the brokers were lost."""
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._settings.bootstrap,
                client_id=f"{self._settings.app_id}-reference",
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
            )
            try:
                await consumer.start()
                await self._read(consumer)
            except OffsetOutOfRangeError as problem:
                self._is_another(f"a reference topic was made anew or cut short ({problem})")
            except KafkaError as problem:
                if not (problem.retriable or isinstance(problem, KafkaTimeoutError)):
                    raise
                logger.warning("reference data: %r; trying again", problem)
            finally:
                await close(consumer)
            await asyncio.sleep(_RETRY_S)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        consumer.assign(list(self._feeds))
        begins = await consumer.beginning_offsets(list(self._feeds))
        ends = await consumer.end_offsets(list(self._feeds))
        if not self.caught_up:
            self._ends = dict(ends)
        for tp, feed in self._feeds.items():
            self._seek(consumer, tp, feed, begins[tp], ends[tp])
        while True:
            positions = {tp: await consumer.position(tp) for tp in self._feeds}
            fetched = await fetch(
                consumer, positions, timeout_ms=_POLL_MS, max_records=_CHUNK_RECORDS
            )
            for tp, records in fetched.items():
                self._take(consumer, tp, records, begins[tp])
            if not self.caught_up:
                await self._check_caught_up(consumer, begins)
            # Buffered records are returned without waiting: let the others work in between.
            await asyncio.sleep(0)

    def _seek(
        self, consumer: AIOKafkaConsumer, tp: TopicPartition, feed: Feed, begin: int, end: int
    ) -> None:
        """Go on at the last record applied, which must be there again, or start over."""
        last = feed.position
        if last is not None and begin <= last.offset < end:
            self._resumed.add(tp)
            consumer.seek(tp, last.offset)
            return
        if last is not None:
            self._is_another(
                f"{tp.topic} has the offsets {begin} to {end - 1}, and was read to {last.offset}"
            )
            feed.clear()
        self._resumed.discard(tp)
        consumer.seek(tp, begin)

    def _take(
        self,
        consumer: AIOKafkaConsumer,
        tp: TopicPartition,
        fetched: Sequence[ConsumerRecord],
        begin: int,
    ) -> None:
        feed = self._feeds[tp]
        records = [ReferenceRecord(r.offset, r.timestamp, r.key, r.value) for r in fetched]
        if tp in self._resumed:
            first = records.pop(0)
            if (first.offset, first.append_ms) != feed.position:
                self._start_over(consumer, tp, begin)
                return
            self._resumed.discard(tp)
        if records:
            feed.apply(records)

    async def _check_caught_up(
        self, consumer: AIOKafkaConsumer, begins: Mapping[TopicPartition, int]
    ) -> None:
        """Compare positions, not records: the last offsets may be transaction markers."""
        for tp, end in self._ends.items():
            if await consumer.position(tp) < end:
                return
            if tp in self._resumed:
                # Read to the end, and the last record applied was not among them.
                self._start_over(consumer, tp, begins[tp])
                return
        self._caught_up.set()

    def _start_over(self, consumer: AIOKafkaConsumer, tp: TopicPartition, begin: int) -> None:
        self._is_another(f"{tp.topic} is not the topic that was read before")
        self._resumed.discard(tp)
        self._feeds[tp].clear()
        consumer.seek(tp, begin)

    def _is_another(self, why: str) -> None:
        """Take note that a topic has to be read anew; nobody may use what was read of it by then.

        Raises:
            EvchargeError: others do.
        """
        if self.caught_up:
            raise EvchargeError(
                f"{why}; a worker that runs cannot begin it anew, for it would bill without it"
                " meanwhile: the next start reads it before the first record"
            )
        logger.warning("%s: reading it anew", why)


def _end_of(task: asyncio.Task[None]) -> BaseException:
    """Return what ended the reading, which goes on for ever."""
    if task.cancelled():
        return EvchargeError("it was cancelled, which nobody had asked for")
    return task.exception() or EvchargeError("it came to an end")
