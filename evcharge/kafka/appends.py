"""Appends record batches to partitions; those that wait for the same broker share a request."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from aiokafka import errors as kafka_errors
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.structs import TopicPartition

from evcharge.kafka.wire import PRODUCER_FENCED, OvertakenError, Wire

logger = logging.getLogger(__name__)

IN_FLIGHT = 3
"""Requests to a broker that wait for their answers at a time. Each partition has one batch under way, so
their order does not matter."""

_ALL_REPLICAS = -1
_TIMEOUT_MS = 30_000
_OVERTAKEN = {kafka_errors.InvalidProducerEpoch.errno, PRODUCER_FENCED}


@dataclass(slots=True)
class _Waiting:
    tp: TopicPartition
    batch: bytes
    appended: asyncio.Future[int]


class Appends:
    """Repeats until Kafka has taken a batch; its identity and sequence keep it from being doubled."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._waiting: defaultdict[int, list[_Waiting]] = defaultdict(list)
        self._senders: defaultdict[int, set[asyncio.Task[None]]] = defaultdict(set)

    async def append(self, tp: TopicPartition, batch: bytes) -> int:
        """Append a batch that belongs to no transaction; return the offset of its first record.

        Raises:
            OvertakenError: a newer producer writes this partition.
            KafkaError: Kafka refuses the batch for good.
        """
        while True:
            node = await self._wire.leader(tp)
            waiting = _Waiting(tp, batch, asyncio.get_running_loop().create_future())
            self._waiting[node].append(waiting)
            senders = self._senders[node]
            if len(senders) < IN_FLIGHT:
                senders.add(asyncio.create_task(self._send_waiting(node)))
            try:
                return await waiting.appended
            except _AgainError:
                await self._wire.look_again()

    async def append_in_transaction(
        self, transactional_id: str, batches: Mapping[TopicPartition, bytes]
    ) -> Mapping[TopicPartition, int]:
        """Append batches of one transaction, one for each partition; return their first offsets.

        Raises as :meth:`append` does.
        """
        offsets: dict[TopicPartition, int] = {}
        while True:
            by_node: defaultdict[int, dict[TopicPartition, bytes]] = defaultdict(dict)
            for tp, batch in batches.items():
                if tp not in offsets:
                    by_node[await self._wire.leader(tp)][tp] = batch
            if not by_node:
                return offsets
            answers = await asyncio.gather(
                *(self._request(node, transactional_id, asked) for node, asked in by_node.items())
            )
            again = False
            for tp, appended in (outcome for answer in answers for outcome in answer.items()):
                if isinstance(appended, int):
                    offsets[tp] = appended
                elif isinstance(appended, _AgainError):
                    again = True
                else:
                    raise appended
            if again:
                await self._wire.look_again()

    async def _send_waiting(self, node: int) -> None:
        """Send what waits for a node, one request after the other, each with all that waits then."""
        asked: dict[TopicPartition, _Waiting] = {}
        try:
            while asked := self._next(node):
                answer = await self._request(
                    node, None, {tp: each.batch for tp, each in asked.items()}
                )
                for tp, appended in answer.items():
                    future = asked[tp].appended
                    if future.done():
                        continue
                    if isinstance(appended, int):
                        future.set_result(appended)
                    else:
                        future.set_exception(appended)
        except BaseException as problem:
            for each in [*asked.values(), *self._waiting.pop(node, ())]:
                if not each.appended.done():
                    each.appended.set_exception(problem)
            raise
        finally:
            # At once, not when the loop gets to it: what is appended next must find a sender.
            self._senders[node].discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _next(self, node: int) -> dict[TopicPartition, _Waiting]:
        """Take what waits, at most one batch of each partition."""
        taken: dict[TopicPartition, _Waiting] = {}
        waiting = self._waiting.pop(node, [])
        if left := [each for each in waiting if taken.setdefault(each.tp, each) is not each]:
            self._waiting[node] = left
        return taken

    async def _request(
        self, node: int, transactional_id: str | None, batches: Mapping[TopicPartition, bytes]
    ) -> dict[TopicPartition, int | Exception]:
        """Send one request; return for each partition the first offset, or what went wrong."""
        topics: defaultdict[str, list[tuple[int, bytes]]] = defaultdict(list)
        for tp, batch in batches.items():
            topics[tp.topic].append((tp.partition, batch))
        request = ProduceRequest(transactional_id, _ALL_REPLICAS, _TIMEOUT_MS, list(topics.items()))
        try:
            answer = await self._wire.send(node, request)
        except IncompatibleBrokerVersion:
            raise
        except KafkaError as problem:
            logger.warning("append to %d partitions: %r, trying again", len(batches), problem)
            return dict.fromkeys(batches, _AgainError())
        return {
            (tp := TopicPartition(topic, info[0])): self._outcome(tp, info)
            for topic, infos in answer.topics
            for info in infos
        }

    def _outcome(self, tp: TopicPartition, info: Any) -> int | Exception:
        code, offset = info[1], info[2]
        if code == kafka_errors.NoError.errno:
            return int(offset)
        if code in _OVERTAKEN:
            return OvertakenError(f"partition {tp.partition} of {tp.topic}", code)
        error = kafka_errors.for_code(code)
        if error.retriable:
            logger.warning("append to %s/%d: %s, trying again", *tp, error.__name__)
            return _AgainError()
        refused: Exception = error(f"{tp.topic}/{tp.partition}")
        return refused


class _AgainError(Exception):
    """The append has to be repeated."""
