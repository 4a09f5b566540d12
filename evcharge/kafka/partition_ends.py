"""Where partitions end, as their leaders say, and how partitions are named in messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from aiokafka.errors import NoError
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.structs import TopicPartition

from evcharge.kafka.wire import Wire

_LATEST = -1
_NO_REPLICA = -1


def named(tps: Iterable[TopicPartition]) -> str:
    """Return the names of partitions for a message, sorted."""
    return ", ".join(f"{tp.topic}/{tp.partition}" for tp in sorted(tps))


def by_leader(wire: Wire, tps: Iterable[TopicPartition]) -> Mapping[int, Mapping[str, list[int]]]:
    """Return the numbers of partitions by the node that leads them and by topic, of those with one."""
    nodes: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for tp in tps:
        node = wire.client.cluster.leader_for_partition(tp)
        if node is not None and node != -1:
            nodes[node][tp.topic].append(tp.partition)
    return nodes


async def ends_of(
    wire: Wire, tps: Iterable[TopicPartition], isolation: int
) -> Mapping[TopicPartition, int]:
    """Return the offsets behind the last record that readers of an isolation level see.

    Those of partitions whose leaders answer now.
    """
    ends: dict[TopicPartition, int] = {}
    for node, topics in by_leader(wire, tps).items():
        asked = [(name, [(each, _LATEST) for each in these]) for name, these in topics.items()]
        answer = await wire.send(node, OffsetRequest(_NO_REPLICA, isolation, asked))
        for topic, partitions in answer.topics:
            for partition, code, _, offset in partitions:
                if code == NoError.errno:
                    ends[TopicPartition(topic, partition)] = offset
    return ends
