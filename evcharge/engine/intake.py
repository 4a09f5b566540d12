"""Hands out what aiokafka has fetched, a chunk at a time, and decides when Kafka gathers records.

aiokafka fetches in the background, one request at a time to each broker, and keeps at most one answer
for each partition. Its own ``getmany`` fills up from one partition before it looks at the next, knows
no bytes, and cannot be woken when a partition has room again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, NamedTuple

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError
from faust.types import TP

from evcharge.engine.batch_reader import take
from evcharge.engine.chunk import FirstArrival
from evcharge.kafka.lenient_fetch import unblock

PATIENT_WAIT_MS = 500
"""How long Kafka may hold a request back that finds no record at all."""

BACKLOG_WAIT_MS = 50
"""The same while records wait to be handed out: a request then is about the partitions that have none,
perhaps none for long, and until its answer their broker is not asked for what the others lack next."""

GATHER_BYTES = 64 * 1024
GATHER_WAIT_MS = 8
"""When records keep coming, Kafka answers when it has so many bytes, or after so long: to fetch, to
compute and to write cost about the same for one record and for fifty."""

GATHER_ABOVE, GATHER_BELOW = 150, 60
"""Wakings a second above which Kafka gathers, and below which it answers every record at once."""
_WINDOW_S = 0.2

UNCONSUMED_BACKOFF_S = 0.02
"""For so long an answer that waits for room keeps its broker from being asked for other partitions."""

SLICE_RECORDS = 200
"""Records that are taken before their bytes are looked at again."""

RECORD_BYTES = 300
"""About what a record costs in memory besides key and value."""


class Taken(NamedTuple):
    """Consecutive records of one partition."""

    tp: TP
    records: list[FirstArrival]
    bytes: int
    """About what they take in memory."""
    begin: int
    """Where the partition stood before: the first of them is there or, behind what holds no record for
    readers (markers of transactions, aborted records, what compaction left out), further on."""
    end: int
    """Where it goes on."""


class Intake:
    """The records that were fetched and not yet handed out."""

    def __init__(self, consumer: Any) -> None:
        """``consumer`` is aiokafka's, started."""
        self._consumer = consumer
        self._fetcher = consumer._fetcher  # noqa: SLF001 - aiokafka has no other way to it
        self._fetcher._prefetch_backoff = UNCONSUMED_BACKOFF_S  # noqa: SLF001
        self._gathers = False
        self._wakings = 0
        self._window_ends = monotonic() + _WINDOW_S

    async def take(
        self,
        wanted: Callable[[TP], bool],
        most_records: Callable[[str], int],
        most_bytes: int,
        next_offset: Callable[[Any], int | None],
    ) -> Taken | None:
        """Return records of the next wanted partition in turn that has any, or ``None``.

        There may be none, but only an ``end``: what was fetched holds no record for readers.
        ``next_offset`` says where a partition goes on. Nothing is awaited unless a record cannot be
        read as aiokafka reads it.

        Raises:
            KafkaError: a partition cannot be read.
        """
        fetcher = self._fetcher
        if fetcher._closed:  # noqa: SLF001
            raise ConsumerStoppedError
        subscriptions = fetcher._subscriptions  # noqa: SLF001
        if subscriptions.reassignment_in_progress:
            return None
        # Without it aiokafka would think that nobody consumes, and leave the group.
        with subscriptions.fetch_context():
            for place in list(fetcher._records):  # noqa: SLF001
                tp = TP(place.topic, place.partition)
                if wanted(tp):
                    taken = await self._take_from(
                        tp, place, most_records(tp.topic), most_bytes, next_offset
                    )
                    if taken is not None:
                        self._ask()
                        return taken
        self._ask()
        return None

    async def _take_from(
        self,
        tp: TP,
        place: Any,
        most_records: int,
        most_bytes: int,
        next_offset: Callable[[Any], int | None],
    ) -> Taken | None:
        fetcher = self._fetcher
        fetched = fetcher._records[place]  # noqa: SLF001
        if not isinstance(fetched, FetchResult):
            self._consumed(place)
            fetched.check_raise()
        if not (fetched.has_more() and fetched.check_assignment(place)):
            # The partition was taken away, paused, or positioned elsewhere since.
            self._consumed(place)
            return None
        assignment = fetched._assignment  # noqa: SLF001
        state = assignment.state_value(place)
        begin = state.position
        records: list[FirstArrival] = []
        size = 0
        while fetched.has_more() and len(records) < most_records and size < most_bytes:
            try:
                more = take(fetched, min(SLICE_RECORDS, most_records - len(records)))
            except UnicodeDecodeError:
                end = state.position
                await unblock(self._consumer, {tp}, next_offset)
                if not assignment.active or state.position != end:
                    # A rebalance came between, and positioned the partition.
                    return None
                return Taken(tp, records, size, begin, end)
            if not more:
                break
            records += more
            size += _size(more)
        if fetched.has_more():
            # Its turn comes again when all others had theirs.
            fetcher._records.move_to_end(place)  # noqa: SLF001
        else:
            self._consumed(place)
        end = state.position
        return Taken(tp, records, size, begin, end) if end != begin else None

    def _consumed(self, place: Any) -> None:
        """Have the partition's broker asked again, unless more of its last answer has to wait for room.

        Then aiokafka would look at every partition, only to find that it has to wait.
        """
        fetcher = self._fetcher
        fetched, node_of = fetcher._records, fetcher._select_read_replica  # noqa: SLF001
        del fetched[place]
        node = node_of(place)
        if not any(
            node_of(other) == node and answer.calculate_backoff()
            for other, answer in fetched.items()
        ):
            fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001

    async def wait(self, or_until: asyncio.Future[None], timeout_s: float) -> bool:
        """Return whether something new was fetched, or not, after a while or ``or_until``.

        Raises:
            KafkaError: the coordinator of the group refuses this worker.
        """
        fetched = self._fetcher._create_fetch_waiter()  # noqa: SLF001
        try:
            await asyncio.wait(
                (fetched, or_until), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            came = fetched.done() and not fetched.cancelled()
            if not came:
                fetched.cancel()
        if came:
            fetched.result()
        self._adapt(came=came)
        return came

    def positions(self) -> Mapping[TP, int]:
        """Return where partitions of which nothing waits are fetched next."""
        fetcher = self._fetcher
        assignment = fetcher._subscriptions.subscription.assignment  # noqa: SLF001
        if assignment is None or not assignment.active:
            return {}
        states = ((tp, assignment.state_value(tp)) for tp in assignment.tps)
        return {
            TP(tp.topic, tp.partition): state.position
            for tp, state in states
            if tp not in fetcher._records and state.has_valid_position  # noqa: SLF001
        }

    def _adapt(self, *, came: bool) -> None:
        """Have Kafka gather records while they would wake us too often."""
        self._wakings += came
        now = monotonic()
        if now < self._window_ends:
            return
        rate = self._wakings / (now - self._window_ends + _WINDOW_S)
        self._wakings, self._window_ends = 0, now + _WINDOW_S
        gathers = rate > (GATHER_BELOW if self._gathers else GATHER_ABOVE)
        if gathers == self._gathers:
            return
        self._gathers = gathers
        self._ask()

    def _ask(self) -> None:
        """Say how long Kafka may hold the next request back, and for how many bytes."""
        fetcher = self._fetcher
        least, wait_ms = 1, BACKLOG_WAIT_MS if fetcher._records else PATIENT_WAIT_MS  # noqa: SLF001
        if self._gathers:
            least, wait_ms = GATHER_BYTES, GATHER_WAIT_MS
        fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = least, wait_ms  # noqa: SLF001


def _size(records: list[FirstArrival]) -> int:
    return RECORD_BYTES * len(records) + sum(
        [len(record.value or b"") + len(record.key or b"") for record in records]
    )
