"""Requests to the brokers that answer them: a partition's leader, a transaction's coordinator.

Whatever a broker's absence can cause is repeated until there is an answer: only the caller knows when
waiting makes no sense any more, and cancels.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from aiokafka import errors as kafka_errors
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError
from aiokafka.structs import TopicPartition

from evcharge.errors import EvchargeError
from evcharge.kafka.awake import AWAKE
from evcharge.kafka.waiting import Waiting

logger = logging.getLogger(__name__)

RETRY_S = 0.1

_NO_ERROR = kafka_errors.NoError.errno
_CONCURRENT = kafka_errors.ConcurrentTransactions.errno
_CONCURRENT_FIRST_S, _CONCURRENT_LONGEST_S = 0.002, 0.05
PRODUCER_FENCED = 90
"""Newer than aiokafka's list of errors."""
_FORGOTTEN = kafka_errors.InvalidProducerIdMapping.errno
_OVERTAKEN = {
    kafka_errors.InvalidProducerEpoch.errno,
    _FORGOTTEN,
    kafka_errors.InvalidTxnState.errno,
    PRODUCER_FENCED,
}
_ELSEWHERE = {
    kafka_errors.GroupCoordinatorNotAvailableError.errno,
    kafka_errors.NotCoordinatorForGroupError.errno,
}


class OvertakenError(EvchargeError):
    """Another worker writes this partition now, or Kafka gave a transaction up: this one must end."""

    exit_code = 70

    def __init__(self, what: str, code: int) -> None:
        why = _name(code)
        super().__init__(
            f"Kafka has forgotten the producer of {what} ({why}), as it does with one that was idle for"
            " transactional.id.expiration.ms: this worker has to begin anew"
            if code == _FORGOTTEN
            else f"{what} has been taken over by another worker, or its transaction was given up"
            f" ({why}): this worker was taken for dead"
        )


class Wire:
    """One client for all requests of a worker's lane."""

    def __init__(self, bootstrap: Sequence[str], client_id: str) -> None:
        self._bootstrap = list(bootstrap)
        self._client_id = client_id
        self._client: AIOKafkaClient | None = None
        self._coordinators: dict[str, int] = {}

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaConnectionError: no broker answers.
        """
        self._client = AIOKafkaClient(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            request_timeout_ms=30_000,
        )
        await self._client.bootstrap()

    async def stop(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    @property
    def client(self) -> AIOKafkaClient:
        """The connected client."""
        if self._client is None:
            raise RuntimeError("the wire was not started")
        return self._client

    # -- leaders

    async def leader(self, tp: TopicPartition) -> int:
        """Return the node that takes records for a partition, waiting until there is one."""
        waiting = Waiting(f"a leader of {tp.topic}/{tp.partition}")
        while True:
            node = self.client.cluster.leader_for_partition(tp)
            if node is not None and node != -1:
                return int(node)
            self.client.add_topic(tp.topic)
            await self.client.force_metadata_update()
            if self.client.cluster.leader_for_partition(tp) in {None, -1}:
                waiting.goes_on("Kafka names none")
                await asyncio.sleep(RETRY_S)

    async def partitions(self, topics: Iterable[str]) -> set[TopicPartition]:
        """Return the partitions of those topics that exist."""
        cluster, names = self.client.cluster, list(topics)
        if any(cluster.partitions_for_topic(name) is None for name in names):
            for name in names:
                self.client.add_topic(name)
            await self.client.force_metadata_update()
        return {
            TopicPartition(name, number)
            for name in names
            for number in cluster.partitions_for_topic(name) or ()
        }

    @property
    def has_one_broker(self) -> bool:
        """Whether there is one broker only, also if others are dead: metadata lists living ones."""
        cluster = self.client.cluster
        replicas = {
            node
            for partitions in cluster._partitions.values()  # noqa: SLF001 - nothing else has replicas
            for partition in partitions.values()
            for node in partition.replicas
        }
        return len(replicas.union(broker.nodeId for broker in cluster.brokers())) == 1

    async def look_again(self) -> None:
        """Ask for the leaders anew, after one has refused."""
        await asyncio.sleep(RETRY_S)
        await self.client.force_metadata_update()

    async def send(self, node: int, request: Any, group: Any = ConnectionGroup.DEFAULT) -> Any:
        """Send one request to a node.

        Raises:
            KafkaError: there was no answer; whether the request took effect is not known.
            SleptError: this process did not run for too long; nothing was sent.
        """
        AWAKE.check()
        try:
            return await self.client.send(node, request, group=group)
        except OSError as problem:
            raise kafka_errors.KafkaConnectionError(str(problem)) from problem

    # -- coordinators

    async def coordinate(
        self,
        transactional_id: str,
        request: Any,
        codes: Callable[[Any], Iterable[int]],
        while_ending: Callable[[], Awaitable[object]] | None = None,
    ) -> Any:
        """Ask the coordinator of a transactional id, until it agrees; returns its answer.

        ``codes`` are the error codes of an answer. Every request of this kind may be repeated.
        ``while_ending`` is called each time that the transaction before is not over yet.

        Raises:
            OvertakenError: a newer producer has this transactional id.
            KafkaError: Kafka refuses for good.
        """
        pause = _CONCURRENT_FIRST_S
        waiting = Waiting(f"the coordinator of {transactional_id} to agree")
        while True:
            node = await self._coordinator(transactional_id)
            try:
                answer = await self.send(node, request, ConnectionGroup.COORDINATION)
            except IncompatibleBrokerVersion:
                raise
            except KafkaError as problem:
                logger.warning("coordinator of %s: %r", transactional_id, problem)
                self._coordinators.pop(transactional_id, None)
                await self.look_again()
                continue
            failed = {code for code in codes(answer) if code != _NO_ERROR}
            if not failed:
                return answer
            if overtaken := failed & _OVERTAKEN:
                raise OvertakenError(transactional_id, min(overtaken))
            waiting.goes_on(", ".join(map(_name, sorted(failed))))
            if _CONCURRENT in failed:
                # The transaction before is decided, but not all of its markers are written.
                if while_ending is not None:
                    await while_ending()
                await asyncio.sleep(pause)
                pause = min(2 * pause, _CONCURRENT_LONGEST_S)
                continue
            if failed & _ELSEWHERE:
                self._coordinators.pop(transactional_id, None)
            elif not any(kafka_errors.for_code(code).retriable for code in failed):
                raise kafka_errors.for_code(min(failed))(transactional_id)
            await asyncio.sleep(RETRY_S)

    async def _coordinator(self, transactional_id: str) -> int:
        node = self._coordinators.get(transactional_id)
        waiting = Waiting(f"a coordinator of {transactional_id}")
        while node is None:
            try:
                node = int(
                    await self.client.coordinator_lookup(
                        CoordinationType.TRANSACTION, transactional_id
                    )
                )
            except (KafkaError, OSError, AssertionError) as problem:
                # aiokafka asserts that it knows any broker at all.
                # Kafka creates the topic behind them when it is first asked: that takes a moment.
                waiting.goes_on(repr(problem))
                await self.look_again()
        self._coordinators[transactional_id] = node
        return node


def _name(code: int) -> str:
    """Return Kafka's name of an error."""
    return (
        "PRODUCER_FENCED" if code == PRODUCER_FENCED else str(kafka_errors.for_code(code).message)
    )
