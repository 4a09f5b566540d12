"""Where a source partition goes on, and whether it still is the one that its marker was written for.

The state itself says what is in it; Kafka's committed offset is for those who watch lag, and not used
here. Offsets of a topic that was deleted and created again start at 0: without a look at the record that
a marker stands for, the first records of the new topic would be taken for applied.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import aiokafka
from aiokafka.structs import TopicPartition

from evcharge.kafka.closing import started
from evcharge.kafka.records_at import records_at
from evcharge.storage.partition_store import Marker


class Resumption(NamedTuple):
    """Where to go on."""

    offsets: Mapping[TopicPartition, int]
    anew: frozenset[TopicPartition]
    """Partitions that are not what was read before, and go on from their beginning."""
    lost_from: Mapping[TopicPartition, int]
    """Where partitions were read to, if Kafka has removed some of what came then."""


async def resume(
    bootstrap: Sequence[str],
    markers: Mapping[TopicPartition, Marker | None],
    committed: Callable[[TopicPartition], Awaitable[int | None]],
) -> Resumption:
    """Return where partitions go on: behind their marker, or at the beginning without one.

    A marker whose record retention has removed cannot be compared: what follows is taken as it is.
    Without a marker the group's ``committed`` offset tells whether records were removed since a worker
    of this deployment first stood there.
    """
    if not markers:
        return Resumption({}, frozenset(), {})
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=list(bootstrap),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        # Only the first record of each partition is looked at.
        max_partition_fetch_bytes=16 << 10,
    )
    async with started(consumer):
        starts = await consumer.beginning_offsets(list(markers))
        ends = await consumer.end_offsets(list(markers))
        known = {tp: marker for tp, marker in markers.items() if marker is not None}
        anew = {tp for tp, marker in known.items() if marker.offset >= ends[tp]}
        comparable = {
            tp: marker for tp, marker in known.items() if starts[tp] <= marker.offset < ends[tp]
        }
        at_markers = {tp: marker.offset for tp, marker in comparable.items()}
        for tp, record in (await records_at(consumer, at_markers)).items():
            if (record.offset, record.timestamp) != comparable[tp]:
                anew.add(tp)
    read_to: dict[TopicPartition, int | None] = {
        tp: marker.offset + 1 for tp, marker in known.items() if tp not in anew
    }
    for tp in markers.keys() - known.keys():
        if starts[tp] > 0:
            read_to[tp] = await committed(tp)
    lost_from = {tp: at for tp, at in read_to.items() if at is not None and at < starts[tp]}
    offsets = {
        tp: max(starts[tp], known[tp].offset + 1) if tp in known and tp not in anew else starts[tp]
        for tp in markers
    }
    return Resumption(offsets, frozenset(anew), lost_from)
