"""Where partitions end, as their leaders say, and how partitions are named in messages."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, NoError
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.structs import TopicPartition

from evcharge.kafka.wire import Wire

logger = logging.getLogger(__name__)

ANSWER_S = 5.0
"""How long a leader may take to answer: one that hangs must not hold up what others can tell."""

_LATEST = -1
_NO_REPLICA = -1

Topics = Sequence[tuple[str, Sequence[int]]]
"""Names of topics with numbers of partitions, as requests have them."""


ALL = -1
"""As a partition's number: all partitions of a topic of which nobody has told how many there are."""


def named(tps: Iterable[TopicPartition]) -> str:
    """Return the names of partitions for a message, sorted."""
    return ", ".join(
        f"{tp.topic}/{'*' if tp.partition == ALL else tp.partition}" for tp in sorted(tps)
    )


async def ask_leaders(
    wire: Wire, tps: Iterable[TopicPartition], request: Callable[[Topics], Any]
) -> Sequence[Any]:
    """Ask the leaders of partitions, all at once; return the answers of those that answer soon.

    Raises:
        IncompatibleBrokerVersion: a leader does not know such a request.
        SleptError: this process did not run for too long.
    """
    nodes: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for tp in tps:
        node = wire.client.cluster.leader_for_partition(tp)
        if node is not None and node != -1:
            nodes[node][tp.topic].append(tp.partition)

    async def ask(node: int, topics: Mapping[str, list[int]]) -> Any:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await wire.send(node, request(list(topics.items())))
        except IncompatibleBrokerVersion:
            raise
        except (KafkaError, TimeoutError) as problem:
            logger.info("node %d does not tell of its partitions: %r", node, problem)
            return None

    answers = await asyncio.gather(*(ask(node, topics) for node, topics in nodes.items()))
    return [answer for answer in answers if answer is not None]


async def ends_of(
    wire: Wire, tps: Iterable[TopicPartition], isolation: int
) -> Mapping[TopicPartition, int]:
    """Return the offsets behind the last record that readers of an isolation level see.

    Those of partitions whose leaders answer now.
    """

    def request(topics: Topics) -> OffsetRequest:
        asked = [(name, [(each, _LATEST) for each in these]) for name, these in topics]
        return OffsetRequest(_NO_REPLICA, isolation, asked)

    return {
        TopicPartition(topic, partition): offset
        for answer in await ask_leaders(wire, tps, request)
        for topic, partitions in answer.topics
        for partition, code, _, offset in partitions
        if code == NoError.errno
    }
