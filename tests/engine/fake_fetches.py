"""What aiokafka's consumer has fetched, without a Kafka."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords
from faust.types import TP

from tests.odd_batches import OddRecord, builder


class FakeConsumer:
    """What aiokafka has fetched for each partition, in this order."""

    def __init__(self, **records: list[Any]) -> None:
        self.states: dict[TP, Any] = {}
        self.assignment = SimpleNamespace(active=True, state_value=self.states.__getitem__, tps=())
        subscriptions = SimpleNamespace(
            reassignment_in_progress=False,
            fetch_context=nullcontext,
            subscription=SimpleNamespace(assignment=self.assignment),
        )
        self.notified = 0
        self.leaders: dict[TP, int] = {}
        self._fetcher = SimpleNamespace(
            _closed=False,
            _records=OrderedDict(),
            _subscriptions=subscriptions,
            _wait_consume_future=None,
            _notify=self._note,
            _create_fetch_waiter=self._waiter,
            _select_read_replica=self.leaders.get,
            _fetch_min_bytes=1,
        )
        self.waiter: asyncio.Future[None] | None = None

    def _note(self, _: object) -> None:
        self.notified += 1

    def _waiter(self) -> asyncio.Future[None]:
        self.waiter = asyncio.get_running_loop().create_future()
        return self.waiter

    def fetched(
        self,
        tp: TP,
        number: int,
        value: bytes = b"v",
        leader: int = 1,
        backoff_s: float = 0,
        position: int = 0,
    ) -> FakeConsumer:
        """Have fetched ``number`` records, from the beginning of the log, at a position."""
        self.leaders[tp] = leader
        state = SimpleNamespace(paused=False, position=position, has_valid_position=True)
        state.consumed_to = lambda offset: setattr(state, "position", offset)
        self.states[tp] = state
        self.assignment.tps = list(self.states)
        data = MemoryRecords(bytes(builder([OddRecord(value)] * number).build()))
        records = PartitionRecords(tp, data, [], position, None, None, True, 0)
        self._fetcher._records[tp] = FetchResult(
            tp, assignment=self.assignment, partition_records=records, backoff=backoff_s
        )
        return self
