"""What former owners' transactions have left open, though their coordinators take them for over.

Kafka 4.3.1 leaves out the marker of a partition that has no leader when a transaction ends (see
``lost_ends.py``). If its producer has died since, its successor has to end it, the same way: readers
wait there, a restore of the partition's table too, and the successor's own next marker would decide
about the records of both.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    NoError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import TopicPartition

from evcharge.errors import EvchargeError
from evcharge.kafka.batches import Identity
from evcharge.kafka.describing import DescribeProducers, DescribeTransactions
from evcharge.kafka.last_transaction import NO_PRODUCER, ForgottenEndError, LastTransaction
from evcharge.kafka.missing_topics import missing_topics
from evcharge.kafka.partition_ends import ALL, ask_leaders, ends_of, named
from evcharge.kafka.waiting import Waiting
from evcharge.kafka.wire import Wire

SILENCE_S = 1.0
"""So long it is asked again who leads partitions before they count as silent."""

_TRANSACTIONAL_ID_NOT_FOUND = 105
_NOT_OPEN = -1


class TransactionsUntoldError(EvchargeError):
    """Kafka cannot or may not tell of transactions, which nobody can take over without."""

    def __init__(self, why: object) -> None:
        super().__init__(
            f"Kafka does not tell which transactions are open ({why}): it has to be 3.0 or newer, and"
            " a worker needs Describe on its transactional ids and Read on the topics that it writes"
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What leaders have told of partitions."""

    producers: Mapping[TopicPartition, Mapping[int, int]] = field(default_factory=dict)
    """Of each partition that was told of: who has a transaction open, and when it last wrote there."""
    silent: frozenset[TopicPartition] = frozenset()
    """Of which no leader has told; ``ALL`` of a topic of which no broker has."""

    def open_of(self, producer_id: int) -> Mapping[TopicPartition, int]:
        """Return where a producer has a transaction open, and when it last wrote there."""
        return {tp: of[producer_id] for tp, of in self.producers.items() if producer_id in of}


class InheritedEnds:
    """Finds what former owners left open in changelogs and in the topics that go with them."""

    def __init__(self, wire: Wire, topics: Sequence[str] = ()) -> None:
        """``topics``: full names of those that a transaction may write beside a changelog."""
        self._wire = wire
        self._topics = topics
        self._changelogs: Counter[TopicPartition] = Counter()
        """Those that somebody waits for."""
        self._looking = asyncio.Lock()
        self._begun = 0
        """How often it was looked for several."""
        self._last = Look()
        self._last_begun = 0
        """The how many-th look that was."""

    async def last_transaction(self, transactional_id: str) -> LastTransaction:
        """Return what Kafka tells of the last transaction of a transactional id.

        Raises:
            TransactionsUntoldError: it tells nothing.
        """
        try:
            answer = await self._wire.coordinate(
                transactional_id,
                DescribeTransactions(transactional_id),
                lambda answer: (
                    {each[0] for each in answer.transactions} - {_TRANSACTIONAL_ID_NOT_FOUND}
                ),
            )
        except (IncompatibleBrokerVersion, TransactionalIdAuthorizationFailed) as problem:
            raise TransactionsUntoldError(problem) from problem
        ((code, _, state, _, began_ms, producer_id, epoch, topics, *_),) = answer.transactions
        if code == _TRANSACTIONAL_ID_NOT_FOUND:
            return LastTransaction()
        return LastTransaction(
            producer_id,
            state,
            began_ms,
            frozenset(TopicPartition(name, each) for name, these, *_ in topics for each in these),
            one_clock=self._wire.has_one_broker,
            epoch=epoch,
        )

    async def before_take_over(
        self, transactional_id: str, changelog: TopicPartition, ours: Identity | None
    ) -> Look:
        """Return what a former owner has left open, waiting for the changelog's leader.

        Without that one nobody can take over. Others are waited for only if the transactional id's
        last owner, if that was not ``ours``, died in the middle of its own take-over.

        Raises:
            ForgottenEndError: the changelog has a transaction of a producer that Kafka has forgotten.
            TransactionsUntoldError: Kafka tells nothing.
        """
        last = await self.last_transaction(transactional_id)
        is_told = last.is_known or last.producer_id == NO_PRODUCER or last.identity == ours
        waiting = Waiting(f"leaders of partitions, to take {named([changelog])} over")
        patience_until = time.monotonic() + SILENCE_S
        while True:
            look = await self._shared_look(changelog)
            enough = not look.silent or (is_told and time.monotonic() >= patience_until)
            if changelog in look.producers and enough:
                break
            waiting.goes_on(f"silent are {named(sorted(look.silent)[:5])}")
            await self._wire.look_again()
        if look.producers[changelog].keys() - {last.producer_id}:
            raise ForgottenEndError(transactional_id, [changelog])
        return look

    async def everywhere(self, changelog: TopicPartition) -> set[TopicPartition]:
        """Return all partitions that a transaction of a changelog's writer can be open in."""
        return {changelog, *await self._outputs()}

    async def _outputs(self) -> set[TopicPartition]:
        """Return all partitions of the topics beside changelogs."""
        known = await self._wire.partitions(self._topics)
        unknown = set(self._topics) - {tp.topic for tp in known}
        return known | {TopicPartition(topic, ALL) for topic in unknown}

    async def _shared_look(self, changelog: TopicPartition) -> Look:
        """Look at all topics and a changelog; workers take many changelogs over at once."""
        self._changelogs[changelog] += 1
        begun = self._begun
        try:
            async with self._looking:
                # Who has waited shares what was asked meanwhile, if it was told.
                if self._last_begun <= begun:
                    self._begun += 1
                    changelogs = +self._changelogs
                    outputs = await self._outputs()
                    self._last = await self.look(outputs.union(changelogs))
                    self._last_begun = self._begun
        finally:
            self._changelogs[changelog] -= 1
        others = {tp for tp in self._last.silent if tp.topic not in self._topics} - {changelog}
        return Look(self._last.producers, self._last.silent - others)

    async def look(self, tps: Collection[TopicPartition]) -> Look:
        """Ask the leaders of partitions who has a transaction open in them, once.

        In a topic that was deleted nothing is open.

        Raises:
            TransactionsUntoldError: Kafka tells nothing.
        """
        # A former owner may have written topics that this worker does not know yet.
        known = await self._wire.partitions({tp.topic for tp in tps})
        unknown = {tp.topic for tp in tps} - {tp.topic for tp in known}
        if unknown:
            missing = await missing_topics(self._wire, unknown)
            tps = [tp for tp in tps if tp.topic not in missing]
        whole = {tp.topic for tp in tps if tp.partition == ALL} - unknown
        tps = {tp for tp in tps if tp.topic not in whole} | {
            tp for tp in known if tp.topic in whole
        }
        ends = await ends_of(self._wire, tps, READ_UNCOMMITTED)
        visible = await ends_of(self._wire, tps, READ_COMMITTED)
        producers: dict[TopicPartition, Mapping[int, int]] = {
            tp: {} for tp in ends.keys() & visible.keys() if visible[tp] >= ends[tp]
        }
        hiding = (ends.keys() & visible.keys()) - producers.keys()
        try:
            answers = await ask_leaders(self._wire, hiding, DescribeProducers)
        except IncompatibleBrokerVersion as problem:
            raise TransactionsUntoldError(problem) from problem
        for name, partitions, _ in (topic for answer in answers for topic in answer.topics):
            for partition, code, _, those, _ in partitions:
                if code == TopicAuthorizationFailedError.errno:
                    raise TransactionsUntoldError(f"TOPIC_AUTHORIZATION_FAILED, {name}")
                if code == NoError.errno:
                    producers[TopicPartition(name, partition)] = {
                        producer_id: written_ms
                        for producer_id, _, _, written_ms, _, first_open, _ in those
                        if first_open > _NOT_OPEN
                    }
        return Look(producers, frozenset(tps) - producers.keys())
