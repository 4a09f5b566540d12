"""Takes changelogs over, brings local rows up to them, drops rows that belong to another history.

First the writer of each partition shuts out whoever wrote it before and appends a row, the fence: all
that will ever be before it is there now. Then what local rows lack is read, up to the fence.

Each changelog partition begins with a row that nobody ever writes again: a random name of its history.
Local rows restored from it or written along with it carry the same name. If the names differ, the
changelog was created anew, or this is another Kafka, and nothing of the local rows may be believed.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence

import aiokafka
from aiokafka.structs import TopicPartition

from evcharge.kafka.log import Writer
from evcharge.storage.partition_store import RESERVED, PartitionStore

logger = logging.getLogger(__name__)

HISTORY = RESERVED + b"history"
"""Key of the first row of a changelog partition."""

FENCE = RESERVED + b"fence"
"""Key of the row with which a worker takes a partition over; its value names the worker."""

ROWS_AT_ONCE = 5_000

Stores = Mapping[TopicPartition, PartitionStore]


async def restore(
    bootstrap: Sequence[str],
    client_id: str,
    writers: Mapping[TopicPartition, Writer],
    stores: Stores,
    before_change: Callable[[TopicPartition], object],
) -> None:
    """Take the changelogs over and apply what they hold beyond the rows of ``stores``.

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
        fences = await _take_over(
            client_id, writers, starts, await consumer.end_offsets(list(stores))
        )
        dropped = _drop_others(
            stores, await _histories(consumer, starts, stores), fences, before_change
        )
        if dropped:
            logger.warning(
                "the local rows of %d partitions are of another history than the changelogs that Kafka"
                " has: they were dropped, and are restored from Kafka",
                dropped,
            )
        restored = await _catch_up(consumer, stores, starts, fences, before_change)
    if restored:
        logger.info("restored %d rows in %.1f s", restored, time.monotonic() - began)


async def _take_over(
    owner: str,
    writers: Mapping[TopicPartition, Writer],
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> Mapping[TopicPartition, int]:
    """Make us the only writer of each changelog; return the offset of each fence."""

    async def take_over(tp: TopicPartition) -> tuple[TopicPartition, int]:
        empty = starts[tp] == ends[tp]
        row = (HISTORY, uuid.uuid4().bytes) if empty else (FENCE, owner.encode())
        return tp, await writers[tp].take_over([row])

    return dict(await asyncio.gather(*map(take_over, writers)))


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
    fences: Mapping[TopicPartition, int],
    before_change: Callable[[TopicPartition], object],
) -> int:
    """Clear the stores whose rows are of another history, or of a lost end; return how many."""
    others = [
        tp
        for tp, name in names.items()
        if stores[tp].get(HISTORY) != name or (stores[tp].changelog_offset() or 0) >= fences[tp]
    ]
    for tp in others:
        before_change(tp)
        stores[tp].clear()
    return len(others)


async def _catch_up(
    consumer: aiokafka.AIOKafkaConsumer,
    stores: Stores,
    starts: Mapping[TopicPartition, int],
    fences: Mapping[TopicPartition, int],
    before_change: Callable[[TopicPartition], object],
) -> int:
    """Read each changelog from behind its store's last row to its fence; return how many rows."""
    restored = 0
    positions = {}
    for tp, store in stores.items():
        applied = store.changelog_offset()
        position = starts[tp] if applied is None else max(starts[tp], applied + 1)
        if position <= fences[tp]:
            positions[tp] = position
    consumer.assign(list(positions))
    for tp, position in positions.items():
        before_change(tp)
        consumer.seek(tp, position)
    behind = set(positions)
    while behind:
        fetched = await consumer.getmany(*behind, timeout_ms=200, max_records=ROWS_AT_ONCE)
        for tp, records in fetched.items():
            # Two workers may both have found a changelog empty: the first name counts.
            rows = {
                record.key: record.value
                for record in records
                if record.key != HISTORY or record.offset == starts[tp]
            }
            stores[tp].write(rows, records[-1].offset)
            restored += len(records) - 1 if records[-1].offset == fences[tp] else len(records)
        for tp in list(behind):
            if await consumer.position(tp) > fences[tp]:
                behind.discard(tp)
                consumer.pause(tp)
    return restored
