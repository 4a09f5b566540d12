"""A producer of a transactional id: its epoch, its sequence numbers, its transactions."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable

from aiokafka.protocol.transaction import (
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
)
from aiokafka.structs import TopicPartition

from evcharge.errors import EvchargeError
from evcharge.kafka.batches import Batch, Identity
from evcharge.kafka.wire import Wire

TRANSACTION_TIMEOUT_MS = 60_000
"""A transaction open for longer is aborted by Kafka, and its producer must end: so long may a broker be
away in the middle of one without costing a restart."""


class CutShortError(EvchargeError):
    """A transaction was begun, and Kafka was not heard to end it."""

    exit_code = 70

    def __init__(self, transactional_id: str) -> None:
        super().__init__(
            f"a transaction of {transactional_id} was cut short, and no other may follow it: this"
            " worker has to begin anew"
        )


class Producer:
    """An epoch of a transactional id; one coroutine at a time uses it for transactions."""

    def __init__(self, wire: Wire, transactional_id: str) -> None:
        self.transactional_id = transactional_id
        self._wire = wire
        self.identity: Identity | None = None
        self._sequences: defaultdict[TopicPartition, int] = defaultdict(int)
        self.undecided = False
        """Whether a transaction was begun and not ended."""
        self.told_at = 0.0
        """When its coordinator last heard of it, by the monotonic clock; 0 before it has taken over."""

    async def take_over(self, while_ending: Callable[[], Awaitable[object]] | None = None) -> None:
        """Get an epoch newer than any other's; what another left undecided is aborted.

        ``while_ending`` is called each time that another's transaction is not over yet.
        """
        answer = await self._wire.coordinate(
            self.transactional_id,
            InitProducerIdRequest(self.transactional_id, TRANSACTION_TIMEOUT_MS),
            lambda answer: [answer.error_code],
            while_ending,
        )
        self.identity = Identity(answer.producer_id, answer.producer_epoch)
        self._sequences.clear()
        self.undecided = False
        self.told_at = time.monotonic()

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

    async def begin(self, tps: Iterable[TopicPartition]) -> None:
        """Begin a transaction in partitions."""
        topics: defaultdict[str, list[int]] = defaultdict(list)
        for tp in tps:
            topics[tp.topic].append(tp.partition)
        request = AddPartitionsToTxnRequest(
            self.transactional_id, *self.epoch, list(topics.items())
        )
        self.undecided = True
        await self._wire.coordinate(
            self.transactional_id,
            request,
            lambda answer: [code for _, codes in answer.errors for _, code in codes],
        )

    async def end(self, *, committed: bool = True) -> None:
        """Commit the transaction, or abort it."""
        await self._wire.coordinate(
            self.transactional_id,
            EndTxnRequest(self.transactional_id, *self.epoch, committed),
            lambda answer: [answer.error_code],
        )
        self.undecided = False
        self.told_at = time.monotonic()
