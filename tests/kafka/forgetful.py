"""A Kafka that leaves out markers, and partitions without a leader, as a writer meets them.

Kafka leaves markers out of partitions that have no leader for a moment. That moment cannot be hit at
will; a batch in a partition that its transaction was not told of gets no marker either. The fixture
``lax`` is a broker that lets that pass.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aiokafka.protocol.transaction import (
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
)
from aiokafka.structs import TopicPartition

from evcharge.broker import KafkaCluster
from evcharge.kafka.appends import Appends
from evcharge.kafka.describing import DescribeTransactions
from evcharge.kafka.fenced_writer import FencedWriter
from evcharge.kafka.inherited_ends import InheritedEnds
from evcharge.kafka.last_transaction import LastTransaction
from evcharge.kafka.log import Output
from evcharge.kafka.lost_ends import LostEnds
from evcharge.kafka.wire import Wire
from tests.eventually import PATIENCE_S
from tests.read_topic import read_topic

FENCE = [(b"fence", b"1")]


class ForgetfulWire(Wire):
    """Has Kafka write no markers in a topic, and does not see the leaders of some partitions."""

    forgotten: str | None = None
    ended = 0

    def __init__(self, bootstrap: Sequence[str], client_id: str) -> None:
        super().__init__(bootstrap, client_id)
        self.leaderless: set[TopicPartition] = set()
        self._left_out: defaultdict[str, set[TopicPartition]] = defaultdict(set)
        """Of which Kafka would tell while a transaction is not over, had it heard of them."""

    async def start(self) -> None:
        await super().start()
        cluster = self.client.cluster
        leader_of = cluster.leader_for_partition
        cluster.leader_for_partition = lambda tp: -1 if tp in self.leaderless else leader_of(tp)

    async def coordinate(
        self, transactional_id: str, request: Any, codes: Any, while_ending: Any = None
    ) -> Any:
        left_out = self._left_out[transactional_id]
        if isinstance(request, AddPartitionsToTxnRequest) and self.forgotten:
            told = [each for each in request._topics if each[0] != self.forgotten]
            left_out.update(
                TopicPartition(topic, number)
                for topic, numbers in request._topics
                for number in numbers
                if topic == self.forgotten
            )
            request = AddPartitionsToTxnRequest(
                transactional_id, request._producer_id, request._producer_epoch, told
            )
        self.ended += isinstance(request, EndTxnRequest)
        answer = await super().coordinate(transactional_id, request, codes, while_ending)
        if isinstance(request, EndTxnRequest | InitProducerIdRequest):
            left_out.clear()
        if isinstance(request, DescribeTransactions):
            (told_of,) = answer.transactions
            if told_of[2] in {"Ongoing", "PrepareAbort", "PrepareCommit", "PrepareEpochFence"}:
                more: list[Any] = [(tp.topic, [tp.partition], {}) for tp in left_out]
                answer.transactions = [(*told_of[:7], [*told_of[7], *more], *told_of[8:])]
        return answer


class Place:
    """A writer of a changelog with a topic for outputs, and what looks after it."""

    def __init__(self, kafka: KafkaCluster, name: str) -> None:
        self.changelog, self.outputs = f"{name}-changelog", f"{name}-outputs"
        self.bootstrap = [kafka.bootstrap]
        self.wire = ForgetfulWire(self.bootstrap, "test")
        self.inherited = InheritedEnds(self.wire, [self.outputs])
        self.lost_ends = LostEnds(self.wire, self.inherited)
        self.writer = self.another_writer()
        self.lost_ends.watch(self.writer)

    def another_writer(self) -> FencedWriter:
        place = TopicPartition(self.changelog, 0)
        appends = Appends(self.wire)
        return FencedWriter(self.wire, appends, self.inherited, self.changelog, place)

    def writer_of_another_changelog(self) -> FencedWriter:
        name = f"{self.changelog}-other"
        appends = Appends(self.wire)
        return FencedWriter(self.wire, appends, self.inherited, name, TopicPartition(name, 0))

    def everywhere(self, partition: int = 0) -> list[TopicPartition]:
        """The changelog and a partition of the outputs."""
        return [TopicPartition(self.changelog, 0), TopicPartition(self.outputs, partition)]

    async def write(self, value: bytes, *, partition: int = 0) -> None:
        await self.writer.write([(b"a", value)], [Output(self.outputs, partition, b"k", value)])

    async def write_unmarked(self, value: bytes, *, partition: int = 0) -> None:
        """Commit a record whose marker is lost in the topic of the outputs."""
        self.wire.forgotten = self.outputs
        await self.write(value, partition=partition)
        self.wire.forgotten = None

    async def heir(self, *, partition: int = 0) -> FencedWriter:
        """Return a next owner of a committed record whose marker is lost where nobody leads now."""
        await self.write_unmarked(b"1", partition=partition)
        self.wire.leaderless = {TopicPartition(self.outputs, partition)}
        return self.another_writer()

    async def cut_short(self, *tps: TopicPartition, unmarked: str | None = None) -> None:
        """Have the writer stop in the middle of a transaction."""
        self.wire.forgotten = unmarked
        await self.writer._transactions.begin(tps)
        await self.writer._append_all({tp: [(b"k", b"cut short", [])] for tp in tps})
        self.wire.forgotten = None

    async def last_transaction(self) -> LastTransaction:
        """What Kafka knows of the last transaction that was written here."""
        return await self.inherited.last_transaction(self.changelog)

    async def produced(self) -> list[Any]:
        return [value for _, value in await self.read(self.outputs)]

    async def read(self, topic: str) -> list[Any]:
        """Return keys and values of a topic, once all of its transactions are decided for readers."""
        async with asyncio.timeout(PATIENCE_S):
            found = await read_topic(self.bootstrap, topic)
        return [(record.key, record.value) for record in found]

    async def look(self) -> None:
        """Look once, and wait for what comes of it."""
        await asyncio.gather(*await self.lost_ends.look())

    async def looked(self) -> None:
        """Look until there is nothing to be seen to, at least twice."""
        async with asyncio.timeout(PATIENCE_S):
            await self.look()
            while self.writer.unseen:
                await self.look()

    async def kept_up(self, writer: FencedWriter) -> None:
        """Have a writer do its upkeep until there is nothing left to do."""
        async with asyncio.timeout(PATIENCE_S):
            while writer.needs_upkeep:
                await writer.upkeep()
