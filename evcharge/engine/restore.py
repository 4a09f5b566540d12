"""Brings local rows up to their changelogs, and drops those that belong to another history.

Each changelog partition begins with a row that nobody ever writes again: a random name of its history.
Local rows restored from it or written along with it carry the same name. If the names differ, the
changelog was created anew, or this is another Kafka, and nothing of the local rows may be believed.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence

import aiokafka
from aiokafka.structs import TopicPartition

from evcharge.kafka.log import Log
from evcharge.storage.partition_store import RESERVED, PartitionStore

logger = logging.getLogger(__name__)

HISTORY = RESERVED + b"history"
"""Key of the first row of a changelog partition."""

ROWS_AT_ONCE = 5_000

Stores = Mapping[TopicPartition, PartitionStore]


async def restore(
    bootstrap: Sequence[str],
    client_id: str,
    log: Log,
    stores: Stores,
    before_change: Callable[[TopicPartition], object],
) -> None:
    """Apply what the changelogs hold beyond the rows of ``stores``, which are theirs by partition.

    ``before_change`` is called before rows of a partition change: what was read of it before is void.
    """
    if not stores:
        return
    began = time.monotonic()
    async with aiokafka.AIOKafkaConsumer(
        bootstrap_servers=list(bootstrap),
        client_id=client_id,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=32 << 20,
    ) as consumer:
        starts = await consumer.beginning_offsets(list(stores))
        ends = dict(await consumer.end_offsets(list(stores)))
        for tp in stores:
            if starts[tp] == ends[tp]:
                row = (HISTORY, uuid.uuid4().bytes)
                ends[tp] = 1 + await log.append(tp.topic, tp.partition, [row])
        dropped = _drop_others(stores, await _histories(consumer, starts, stores), before_change)
        if dropped:
            logger.warning(
                "the local rows of %d partitions are of another history than the changelogs that Kafka"
                " has: they were dropped, and are restored from Kafka",
                dropped,
            )
        restored = await _catch_up(consumer, stores, starts, ends, before_change)
    if restored:
        logger.info("restored %d rows in %.1f s", restored, time.monotonic() - began)


async def _histories(
    consumer: aiokafka.AIOKafkaConsumer,
    starts: Mapping[TopicPartition, int],
    stores: Stores,
) -> Mapping[TopicPartition, bytes]:
    """Return the name of each changelog's history, from its first record."""
    names: dict[TopicPartition, bytes] = {}
    missing = {tp for tp, store in stores.items() if store.changelog_offset() is not None}
    consumer.assign(list(missing))
    for tp in missing:
        consumer.seek(tp, starts[tp])
    while missing:
        for tp, records in (
            await consumer.getmany(*missing, timeout_ms=500, max_records=1)
        ).items():
            missing.discard(tp)
            consumer.pause(tp)
            names[tp] = records[0].value if records[0].key == HISTORY else b""
    return names


def _drop_others(
    stores: Stores,
    names: Mapping[TopicPartition, bytes],
    before_change: Callable[[TopicPartition], object],
) -> int:
    """Clear the stores whose rows are of another history; return how many."""
    others = [tp for tp, name in names.items() if stores[tp].get(HISTORY) != name]
    for tp in others:
        before_change(tp)
        stores[tp].clear()
    return len(others)


async def _catch_up(
    consumer: aiokafka.AIOKafkaConsumer,
    stores: Stores,
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    before_change: Callable[[TopicPartition], object],
) -> int:
    """Read each changelog from behind its store's last row to its end; return how many rows."""
    restored = 0
    positions = {}
    for tp, store in stores.items():
        applied = store.changelog_offset()
        position = starts[tp] if applied is None else max(starts[tp], applied + 1)
        if position < ends[tp]:
            positions[tp] = position
    consumer.assign(list(positions))
    for tp, position in positions.items():
        before_change(tp)
        consumer.seek(tp, position)
    behind = set(positions)
    while behind:
        fetched = await consumer.getmany(*behind, timeout_ms=200, max_records=ROWS_AT_ONCE)
        for tp, records in fetched.items():
            stores[tp].write({r.key: r.value for r in records}, records[-1].offset)
            restored += len(records)
        for tp in list(behind):
            if await consumer.position(tp) >= ends[tp]:
                behind.discard(tp)
                consumer.pause(tp)
    return restored
