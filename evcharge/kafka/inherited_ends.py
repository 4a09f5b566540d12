"""What a former owner's last transaction has left open, though its coordinator takes it for over.

Kafka 4.3.1 leaves out the marker of a partition that has no leader when a transaction ends (see
``lost_ends.py``). If its producer has died since, its successor has to end it, the same way: readers
wait there, a restore of the partition's table too, and the successor's own next marker would decide
about the records of both.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED
from aiokafka.errors import KafkaError, NoError
from aiokafka.structs import TopicPartition

from evcharge.errors import EvchargeError
from evcharge.kafka.describing import DescribeProducers, DescribeTransactions
from evcharge.kafka.partition_ends import by_leader, ends_of, named
from evcharge.kafka.wire import Wire

logger = logging.getLogger(__name__)

_TRANSACTIONAL_ID_NOT_FOUND = 105
_COMMITTED = frozenset({"PrepareCommit", "CompleteCommit"})
_ABORTED = frozenset({"Ongoing", "PrepareAbort", "PrepareEpochFence", "CompleteAbort"})
"""An ongoing one is aborted when somebody takes its transactional id over."""


class ForgottenEndError(EvchargeError):
    """Nobody knows any more how a transaction ended that is open in some partitions."""

    exit_code = 70

    def __init__(self, transactional_id: str, tps: Iterable[TopicPartition]) -> None:
        super().__init__(
            f"a former transaction of {transactional_id} is open in {named(tps)}, and Kafka does not"
            " know any more how it ended: decide with kafka-transactions.sh (find-hanging, abort)"
        )


class InheritedEnds:
    """Finds what former owners left open in changelogs and in the topics that go with them."""

    def __init__(self, wire: Wire, topics: Sequence[str] = ()) -> None:
        """``topics``: full names of those that a transaction may write beside a changelog."""
        self._wire = wire
        self._topics = topics
        self._changelogs: set[TopicPartition] = set()
        self._asking = asyncio.Lock()
        self._begun = 0
        """How often it was asked."""
        self._open: Mapping[int, set[TopicPartition]] = {}

    async def was_committed(self, transactional_id: str) -> bool | None:
        """Return how the last transaction ended, or will once it is taken over; ``None``: not known."""
        answer = await self._wire.coordinate(
            transactional_id,
            DescribeTransactions(transactional_id),
            lambda answer: (
                {each[0] for each in answer.transactions} - {_TRANSACTIONAL_ID_NOT_FOUND}
            ),
        )
        ((_, _, state, *_),) = answer.transactions
        return True if state in _COMMITTED else False if state in _ABORTED else None

    async def open_of(self, producer_id: int, changelog: TopicPartition) -> set[TopicPartition]:
        """Return where a transaction of a producer is open, of which its coordinator knows nothing.

        Kafka writes all markers of an ended transaction before it gives its producer's id to another.
        """
        self._changelogs.add(changelog)
        begun = self._begun
        async with self._asking:
            # Workers take many partitions over at once: who has waited shares what was asked meanwhile.
            if self._begun == begun:
                self._begun += 1
                self._open = await self._ask()
        return self._open.get(producer_id, set())

    async def _ask(self) -> Mapping[int, set[TopicPartition]]:
        """Return the partitions with open transactions by their producers."""
        # Who comes from now on asks again.
        changelogs = set(self._changelogs)
        while True:
            known = await self._wire.partitions({*self._topics, *(tp.topic for tp in changelogs)})
            tps = {tp for tp in known if tp.topic in self._topics} | changelogs
            try:
                ends = await ends_of(self._wire, tps, READ_UNCOMMITTED)
                visible = await ends_of(self._wire, tps, READ_COMMITTED)
                if len(ends) == len(visible) == len(tps):
                    found = await self._open_in([tp for tp in tps if visible[tp] < ends[tp]])
                    if found is not None:
                        return found
                silent = sorted(tps - (ends.keys() & visible.keys()))[:5]
                logger.warning(
                    "no leader tells yet what is open in %s", named(silent) or "partitions"
                )
            except KafkaError as problem:
                logger.warning("open transactions could not be looked at: %r", problem)
            await self._wire.look_again()

    async def _open_in(
        self, tps: Sequence[TopicPartition]
    ) -> Mapping[int, set[TopicPartition]] | None:
        """Return who has a transaction open in partitions, ``None`` if a leader does not answer."""
        found: defaultdict[int, set[TopicPartition]] = defaultdict(set)
        answered = 0
        for node, topics in by_leader(self._wire, tps).items():
            answer = await self._wire.send(node, DescribeProducers(list(topics.items())))
            for name, partitions, _ in answer.topics:
                for partition, code, _, producers, _ in partitions:
                    answered += code == NoError.errno
                    for producer_id, _, _, _, _, first_open, _ in producers:
                        if first_open >= 0:
                            found[producer_id].add(TopicPartition(name, partition))
        return found if answered == len(tps) else None
