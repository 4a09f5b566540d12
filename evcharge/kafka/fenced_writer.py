"""The only writer of one changelog partition, so long as no other worker has taken it over.

Kafka itself keeps former owners out: a transactional id stands for the partition, each owner gets a
newer epoch for it, and a broker that has seen a batch of an epoch refuses all older ones. Two ids for
two ways to write:

* what fits one record batch is appended as such: a batch is atomic, and needs no transaction;
* more than that, or rows together with records of other topics, is one transaction.

A plain batch may follow a transaction at once; were both of one producer, it would have to wait until
Kafka has written the transaction's last marker.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from aiokafka.errors import KafkaError
from aiokafka.protocol.transaction import (
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
)
from aiokafka.structs import TopicPartition

from evcharge.kafka.appends import Appends
from evcharge.kafka.batches import Batch, Identity, Record, in_batches
from evcharge.kafka.inherited_ends import ForgottenEndError, InheritedEnds
from evcharge.kafka.log import Output, Row
from evcharge.kafka.partition_ends import named
from evcharge.kafka.wire import OvertakenError, Wire

logger = logging.getLogger(__name__)

TRANSACTION_TIMEOUT_MS = 60_000
"""A transaction open for longer is aborted by Kafka, and its producer must end: so long may a broker be
away in the middle of one without costing a restart."""

_NO_HEADERS: list[tuple[str, bytes | None]] = []


class _Producer:
    """An epoch of a transactional id, with the sequence numbers that it has used."""

    def __init__(self, wire: Wire, transactional_id: str) -> None:
        self.transactional_id = transactional_id
        self._wire = wire
        self.identity: Identity | None = None
        self._sequences: defaultdict[TopicPartition, int] = defaultdict(int)

    async def begin(self) -> None:
        """Get an epoch newer than any other's; what another left undecided is aborted."""
        answer = await self._wire.coordinate(
            self.transactional_id,
            InitProducerIdRequest(self.transactional_id, TRANSACTION_TIMEOUT_MS),
            lambda answer: [answer.error_code],
        )
        self.identity = Identity(answer.producer_id, answer.producer_epoch)
        self._sequences.clear()

    @property
    def epoch(self) -> Identity:
        """Who it is, once it has taken over."""
        if self.identity is None:
            raise RuntimeError(f"{self.transactional_id} has not taken over")
        return self.identity

    def build(self, tp: TopicPartition, batch: Batch) -> bytes:
        """Return a batch's bytes; it has to be appended before the partition's next one is built."""
        sequence = self._sequences[tp]
        # Sequences wrap around behind the largest 32-bit integer.
        self._sequences[tp] = (sequence + batch.count) & 0x7FFFFFFF
        return batch.build(self.epoch, sequence)


class FencedWriter:
    """Writes rows to a changelog partition, alone or together with records of other topics."""

    def __init__(
        self,
        wire: Wire,
        appends: Appends,
        inherited: InheritedEnds,
        transactional_id: str,
        tp: TopicPartition,
    ) -> None:
        self._wire = wire
        self._appends = appends
        self._inherited = inherited
        self._tp = tp
        self._plain = _Producer(wire, f"{transactional_id}-rows")
        self._transactions = _Producer(wire, transactional_id)
        self._last_transaction: set[TopicPartition] = set()
        self._transacting = asyncio.Lock()
        self._undecided = False
        """Whether a transaction was begun and not ended."""
        self.unseen: dict[TopicPartition, int] = {}
        """The last offset written in each partition whose readers may not know the end of it yet."""

    async def take_over(self, rows: Sequence[Row]) -> int:
        """Become the only writer and append ``rows``; return the offset of the last.

        Behind it there will be nothing of a former owner. An owner that nobody has overtaken since
        keeps its epoch.

        Raises:
            ForgottenEndError: a former owner's transaction is open, and nobody knows how it ended.
            KafkaError: Kafka refuses for good.
        """
        if self._plain.identity is not None:
            # Refused where another has taken over since, or where an append of ours was cut short.
            with contextlib.suppress(OvertakenError, KafkaError):
                return await self._append(_plain(rows))
        # First the transactions: one that a former owner left open would hide our rows from readers.
        async with self._transacting:
            # Asked before: whoever takes over has a transactional id without a transaction.
            committed = await self._inherited.was_committed(self._transactions.transactional_id)
            await self._transactions.begin()
            self._undecided = False
        # If a rebalance cancels this, nobody else will know how it ended.
        await asyncio.shield(self._end_inherited(committed))
        await self._plain.begin()
        return await self._append(_plain(rows))

    async def write(self, rows: Iterable[Row], outputs: Sequence[Output]) -> int:
        """Append rows and outputs, all or nothing; return the offset of the last row.

        Readers with ``read_committed`` see an output once, or never if this raises.

        Raises:
            OvertakenError: another worker has taken over: this process must not go on.
            KafkaError: Kafka refuses for good; nothing was written.
        """
        if not outputs:
            records = _plain(rows)
            batches = list(in_batches(records, transactional=False))
            if len(batches) == 1:
                return await self._append_batch(batches[0])
            return await self._in_transaction({self._tp: records})
        by_partition: dict[TopicPartition, list[Record]] = {self._tp: _plain(rows)}
        for output in outputs:
            tp = TopicPartition(output.topic, output.partition)
            by_partition.setdefault(tp, []).append((output.key, output.value, list(output.headers)))
        return await self._in_transaction(by_partition)

    async def end_again(self, tps: Iterable[TopicPartition]) -> None:
        """End the last transaction once more in ``tps``, where readers were not told of its end.

        Raises:
            OvertakenError: another worker has taken over.
            KafkaError: Kafka refuses for good.
        """
        async with self._transacting:
            # What was cut short must not be taken for whole.
            if not self._undecided:
                await self._begin(tps)
                await self._end()

    async def _end_inherited(self, committed: bool | None) -> None:
        """End a former owner's transaction in the partitions where Kafka has left that out."""
        name = self._transactions.transactional_id
        async with self._transacting:
            hidden = await self._inherited.open_of(self._transactions.epoch.producer_id, self._tp)
            if not hidden:
                return
            if committed is None:
                raise ForgottenEndError(name, hidden)
            logger.warning(
                "readers do not see that a former transaction of %s was %s, ending it again in %s",
                name,
                "committed" if committed else "aborted",
                named(hidden),
            )
            await self._begin(hidden)
            await self._end(committed=committed)

    async def _append(self, records: list[Record]) -> int:
        (batch,) = in_batches(records, transactional=False)
        return await self._append_batch(batch)

    async def _append_batch(self, batch: Batch) -> int:
        first = await self._appends.append(self._tp, self._plain.build(self._tp, batch))
        return first + batch.count - 1

    async def _in_transaction(self, by_partition: dict[TopicPartition, list[Record]]) -> int:
        async with self._transacting:
            # Kafka 4.3.1 leaves out the marker of a partition that has no leader when the transaction
            # ends (lost_ends.py). The next marker of the same producer ends both.
            await self._begin(self._last_transaction | set(by_partition))
            lasts = await self._append_all(by_partition)
            await self._end()
            self._last_transaction = set(by_partition)
            self.unseen.update(lasts)
            return lasts.get(self._tp, -1)

    async def _begin(self, tps: Iterable[TopicPartition]) -> None:
        """Begin a transaction in partitions."""
        name, epoch = self._transactions.transactional_id, self._transactions.epoch
        topics: defaultdict[str, list[int]] = defaultdict(list)
        for tp in tps:
            topics[tp.topic].append(tp.partition)
        self._undecided = True
        await self._wire.coordinate(
            name,
            AddPartitionsToTxnRequest(name, *epoch, list(topics.items())),
            lambda answer: [code for _, codes in answer.errors for _, code in codes],
        )

    async def _append_all(
        self, by_partition: dict[TopicPartition, list[Record]]
    ) -> dict[TopicPartition, int]:
        """Append records within the transaction; return the last offset in each partition."""
        producer = self._transactions
        lasts: dict[TopicPartition, int] = {}
        batches = {
            tp: in_batches(records, transactional=True) for tp, records in by_partition.items()
        }
        # A request holds one batch of a partition at most.
        for together in zip_longest(*batches.values()):
            these = {
                tp: batch for tp, batch in zip(batches, together, strict=True) if batch is not None
            }
            firsts = await self._appends.append_in_transaction(
                producer.transactional_id,
                {tp: producer.build(tp, batch) for tp, batch in these.items()},
            )
            lasts.update({tp: firsts[tp] + batch.count - 1 for tp, batch in these.items()})
        return lasts

    async def _end(self, *, committed: bool = True) -> None:
        """Commit the transaction, or abort it."""
        name, epoch = self._transactions.transactional_id, self._transactions.epoch
        await self._wire.coordinate(
            name, EndTxnRequest(name, *epoch, committed), lambda answer: [answer.error_code]
        )
        self._undecided = False


def _plain(rows: Iterable[Row]) -> list[Record]:
    return [(key, value, _NO_HEADERS) for key, value in rows]
