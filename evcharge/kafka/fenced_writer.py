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
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import zip_longest

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from evcharge.kafka.appends import Appends
from evcharge.kafka.batches import Batch, Record, in_batches
from evcharge.kafka.inherited_ends import InheritedEnds, Look
from evcharge.kafka.last_transaction import NO_PRODUCER
from evcharge.kafka.log import Output, Row
from evcharge.kafka.producer import CutShortError, Producer
from evcharge.kafka.succession import Succession
from evcharge.kafka.wire import OvertakenError, Wire

TELL_EVERY_S = 21_600.0
"""A coordinator hears of a producer after this time at the latest, and so does the changelog's leader.

Coordinators forget one that was idle for a week (``transactional.id.expiration.ms``): nobody could shut
it out any more. Leaders forget one that was idle for a day (``producer.id.expiration.ms``). A marker
behind that makes it known again, without its sequence, and they refuse its next row, which is not its
first (``OUT_OF_ORDER_SEQUENCE_NUMBER``): so it has to be much less than a day.
"""

_NO_HEADERS: list[tuple[str, bytes | None]] = []


class _Tenure(Enum):
    """How far a writer owns its partition."""

    NOT_YET = auto()
    """Its fence is not known to be in the changelog: nothing of ours may come before that."""
    UNTOLD = auto()
    """It is, but the coordinator cannot tell how the last transaction ended: it has heard of none."""
    TOLD = auto()
    LOST = auto()
    """Somebody else has the transactions, or Kafka gave one up: its next write will tell."""


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
        self._tp = tp
        self._plain = Producer(wire, f"{transactional_id}-rows")
        self._transactions = Producer(wire, transactional_id)
        self._transacting = asyncio.Lock()
        self._succession = Succession(wire, inherited, self._transactions, tp)
        self.succeeding: asyncio.Task[None] | None = None
        """The newest succession, over or not. A rebalance that cancels a take-over lets it go on."""
        self._tenure = _Tenure.NOT_YET
        self.unseen: dict[TopicPartition, int] = {}
        """The last offset written in each partition whose readers may not know the end of it yet."""

    async def take_over(self, rows: Sequence[Row]) -> int:
        """Become the only writer and append ``rows``; return the offset of the last.

        Behind it there will be nothing of a former owner. An owner that nobody has overtaken since
        keeps its epoch.

        Raises:
            ForgottenEndError: a former owner's transaction is open, and nobody knows how it ended.
            TransactionsUntoldError: Kafka does not tell what is open.
            KafkaError: Kafka refuses for good.
        """
        if self.succeeding is not None:
            # Cancelled by a rebalance, it goes on.
            await asyncio.wait([self.succeeding])
        if self._plain.identity is not None and not self._transactions.undecided:
            # Refused where another has taken over since, or where an append of ours was cut short.
            with contextlib.suppress(OvertakenError, KafkaError):
                return await self._fence(rows)
        # First the transactions: one that a former owner left open would hide our rows from readers.
        look = await self._succession.look()
        # If a rebalance cancels this, nobody else will know what is to be ended and how.
        self.succeeding = asyncio.create_task(self._succeed(look), name="succession")
        await asyncio.shield(self.succeeding)
        async with self._transacting:
            # Not in the middle of its own transaction.
            await self._plain.take_over()
        return await self._fence(rows)

    async def _fence(self, rows: Sequence[Row]) -> int:
        offset = await self._append(_plain(rows))
        if self._tenure is _Tenure.NOT_YET:
            self._tenure = _Tenure.UNTOLD
        return offset

    async def _succeed(self, look: Look) -> None:
        async with self._transacting:
            if await self._succession.take_over(look):
                self.unseen.clear()
                self._tenure = _Tenure.NOT_YET

    async def write(self, rows: Iterable[Row], outputs: Sequence[Output]) -> int:
        """Append rows and outputs, all or nothing; return the offset of the last row.

        Readers with ``read_committed`` see an output once, or never if this raises.

        Raises:
            OvertakenError: another worker has taken over: this process must not go on.
            CutShortError: a transaction before was begun and not ended: nor must it.
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

    # -- what readers have not been told

    @property
    def producer_id(self) -> int:
        """Whose transactions leaders take them for; ``NO_PRODUCER`` before the take-over."""
        identity = self._transactions.identity
        return NO_PRODUCER if identity is None else identity.producer_id

    async def end_again(self, hidden: Mapping[TopicPartition, int]) -> None:
        """End the last transaction once more where readers were not told of its end.

        ``hidden``: the last offset there; where more was committed since, that has ended it.

        Raises:
            KafkaError: Kafka refuses for good.
        """
        with self._unless_overtaken():
            async with self._transacting:
                if tps := {tp for tp, at in hidden.items() if self.unseen.get(tp) == at}:
                    await self._commit_nothing(self._transactions, tps)

    @property
    def needs_upkeep(self) -> bool:
        """Whether there is something to do for :meth:`upkeep`."""
        return self._has_something_to_end() or bool(self._idle())

    async def upkeep(self) -> None:
        """End what a former owner has left open, and see that Kafka does not forget the producers.

        Raises:
            ForgottenEndError: a former owner's transaction is open, and nobody knows how it ended.
            KafkaError: Kafka refuses for good.
        """
        with self._unless_overtaken():
            # Not under the lock: a broker that hangs must not hold up outputs in other partitions.
            if self._succession.owed:
                await self._wire.look_again()
            seen = await self._succession.look_at_owed()
            async with self._transacting:
                await self._succession.end_owed(seen)
                if self._tenure is _Tenure.UNTOLD:
                    await self._commit_nothing(self._transactions, [self._tp])
                for producer in self._idle():
                    await self._commit_nothing(producer, [self._tp])

    async def _commit_nothing(self, producer: Producer, tps: Collection[TopicPartition]) -> None:
        """Commit a transaction without records, if that decides about nothing but our own."""
        # What was cut short must not be taken for whole.
        if not (producer.undecided or self._succession.in_the_way(tps)):
            await producer.begin(tps)
            await producer.end()
            if producer is self._transactions:
                self._tenure = _Tenure.TOLD

    def _has_something_to_end(self) -> bool:
        """Whether a transaction is to be ended again, or one to be made for the coordinator to tell of.

        Not if one of ours was cut short: only who takes over can end that.
        """
        if self._transactions.undecided or self._tenure in {_Tenure.NOT_YET, _Tenure.LOST}:
            return False
        return bool(self._succession.owed) or self._tenure is _Tenure.UNTOLD

    def _idle(self) -> list[Producer]:
        """Return the producers that their coordinators have not heard of for long."""
        ours = {
            _Tenure.NOT_YET: [],
            _Tenure.UNTOLD: [self._plain, self._transactions],
            _Tenure.TOLD: [self._plain, self._transactions],
            _Tenure.LOST: [self._plain],
        }[self._tenure]
        now = time.monotonic()
        return [
            each
            for each in ours
            if not each.undecided and now - each.told_at > tell_every_s(each.transactional_id)
        ]

    @contextlib.contextmanager
    def _unless_overtaken(self) -> Iterator[None]:
        """Leave everything to the partition's new owner, if there is one; our next write will tell."""
        try:
            yield
        except OvertakenError:
            self.unseen.clear()
            self._succession.owed.clear()
            self._tenure = _Tenure.LOST

    # -- appending

    async def _append(self, records: list[Record]) -> int:
        (batch,) = in_batches(records, transactional=False)
        return await self._append_batch(batch)

    async def _append_batch(self, batch: Batch) -> int:
        first = await self._appends.append(self._tp, self._plain.build(self._tp, batch))
        return first + batch.count - 1

    async def _in_transaction(self, by_partition: dict[TopicPartition, list[Record]]) -> int:
        async with self._transacting:
            if self._transactions.undecided and self._tenure is not _Tenure.LOST:
                raise CutShortError(self._transactions.transactional_id)
            if self._succession.owed:
                await self._succession.out_of_the_way(by_partition)
            await self._transactions.begin(by_partition)
            lasts = await self._append_all(by_partition)
            await self._transactions.end()
            self._tenure = _Tenure.TOLD
            self.unseen.update(lasts)
            return lasts.get(self._tp, -1)

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


def tell_every_s(transactional_id: str) -> float:
    """Return ``TELL_EVERY_S``, less up to a quarter: who took over at once does not tell at once."""
    return TELL_EVERY_S * (1 - zlib.crc32(transactional_id.encode()) / (1 << 34))


def _plain(rows: Iterable[Row]) -> list[Record]:
    return [(key, value, _NO_HEADERS) for key, value in rows]
