"""Reads records whose header names are not UTF-8, on which aiokafka's fetcher gets stuck.

Kafka takes any bytes as the name of a header. aiokafka decodes names strictly while it hands out what
it has fetched: the exception leaves the position where it was, so the next fetch brings the same
record, and the partition is blocked for good. Here the same bytes are fetched once more, read with
aiokafka's own pure-Python record classes over a buffer that decodes leniently, and put into the
fetcher in place of what it could not read. It then hands them out as always: with the limit of records,
the position and the check of the assignment.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable, Collection, Mapping
from typing import Any, SupportsIndex, overload

import aiokafka
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException, KafkaError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.structs import TopicPartition

logger = logging.getLogger(__name__)

_BATCH_START = struct.Struct(">qi")
"""Base offset, and the length of what follows."""
_RETRY_S = 0.1


async def fetch(
    consumer: aiokafka.AIOKafkaConsumer,
    positions: Mapping[TopicPartition, int],
    *,
    timeout_ms: int,
    max_records: int | None = None,
) -> Mapping[TopicPartition, list[aiokafka.ConsumerRecord]]:
    """Return what ``getmany`` returns of partitions at their positions; after a repair nothing."""
    try:
        fetched: dict[TopicPartition, list[aiokafka.ConsumerRecord]] = await consumer.getmany(
            *positions, timeout_ms=timeout_ms, max_records=max_records
        )
    except UnicodeDecodeError:
        await unblock(consumer, positions, positions.get)
        return {}
    return fetched


async def unblock(
    consumer: aiokafka.AIOKafkaConsumer,
    partitions: Collection[TopicPartition],
    next_offset: Callable[[TopicPartition], int | None],
) -> None:
    """Repair a fetch of ``partitions`` that ended with ``UnicodeDecodeError``; then repeat the fetch.

    What that fetch had already taken from other partitions was lost with the exception: these are set
    back to ``next_offset``, which says where the caller goes on (``None``: nowhere).
    """
    fetcher = consumer._fetcher  # noqa: SLF001 - aiokafka has no other way to it
    # What comes before the blocked partition was taken out, so that it is the first one left.
    blocked = next((tp for tp in fetcher._records if tp in partitions), None)  # noqa: SLF001
    assigned = consumer.assignment()
    for tp in partitions:
        offset = next_offset(tp)
        if tp != blocked and tp in assigned and offset is not None:
            consumer.seek(TopicPartition(*tp), offset)
    if blocked in assigned:
        await _read_leniently(fetcher, blocked)


async def _read_leniently(fetcher: Any, tp: TopicPartition) -> None:
    """Put into the fetcher what the partition holds at its position, names decoded leniently.

    Until then the fetcher keeps what it could not read, and so does not fetch the partition itself.
    If Kafka does not answer now, nothing changes, and the next fetch ends as this one did.
    """
    assignment = fetcher._subscriptions.subscription.assignment  # noqa: SLF001
    position = assignment.state_value(tp).position
    fetched = await _fetch(fetcher, tp, position)
    if fetched is None:
        await asyncio.sleep(_RETRY_S)
        return
    data, aborted_transactions = fetched
    logger.info("%s/%d has header names that are not UTF-8 behind %d", *tp, position)
    records = PartitionRecords(
        tp,
        LenientBatches(data),
        aborted_transactions,
        position,
        key_deserializer=None,
        value_deserializer=None,
        check_crcs=False,  # done by LenientBatches
        isolation_level=fetcher._isolation_level,  # noqa: SLF001
    )
    fetcher._records[tp] = FetchResult(  # noqa: SLF001
        tp,
        assignment=assignment,
        partition_records=records,
        backoff=fetcher._prefetch_backoff,  # noqa: SLF001
    )


async def _fetch(fetcher: Any, tp: TopicPartition, offset: int) -> tuple[bytes, Any] | None:
    """Return the bytes from an offset on and the aborted transactions among them."""
    client = fetcher._client  # noqa: SLF001
    most_bytes = fetcher._max_partition_fetch_bytes  # noqa: SLF001
    request = FetchRequest(
        max_wait_time=0,
        min_bytes=1,
        max_bytes=most_bytes,
        isolation_level=fetcher._isolation_level,  # noqa: SLF001
        topics=[(tp.topic, [(tp.partition, offset, most_bytes)])],
    )
    leader = client.cluster.leader_for_partition(tp)
    try:
        response = await client.send(leader, request)
    except KafkaError as problem:
        logger.warning("%s/%d could not be fetched: %r", *tp, problem)
        return None
    [(_, [(_, error_code, _, *rest)])] = response.topics
    if error_code:
        client.force_metadata_update()
        return None
    # Version 11 has the preferred replica between the aborted transactions and the records.
    return rest[-1] or b"", rest[-3] if response.API_VERSION >= 11 else rest[-2]


class LenientBatches:
    """The record batches of a fetch, as ``PartitionRecords`` asks for them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def has_next(self) -> bool:
        """Whether another whole batch is there: brokers cut the last one off anywhere."""
        return self._end() is not None

    def next_batch(self) -> Any:
        """Return the next batch, unpacked.

        Raises:
            CorruptRecordException: its bytes are not those that were sent.
        """
        end = self._end()
        batch = _DefaultRecordBatchPy(self._data[self._at : end])
        if not batch.validate_crc():
            raise CorruptRecordException("a record batch does not match its checksum")
        self._at = end or 0
        iter(batch)  # decompresses
        batch._buffer = _LenientBuffer(batch._buffer)  # noqa: SLF001
        return batch

    def _end(self) -> int | None:
        if len(self._data) - self._at < _BATCH_START.size:
            return None
        _, length = _BATCH_START.unpack_from(self._data, self._at)
        end = self._at + _BATCH_START.size + int(length)
        return end if end <= len(self._data) else None


class _LenientBuffer(bytearray):
    """Bytes of a batch; the only slices of it that aiokafka decodes are names of headers."""

    @overload
    def __getitem__(self, at: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, at: slice, /) -> _LenientBuffer: ...
    def __getitem__(self, at: SupportsIndex | slice, /) -> int | _LenientBuffer:
        if isinstance(at, slice):
            return _LenientBuffer(super().__getitem__(at))
        return super().__getitem__(at)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Decode; bytes that are no text become text that shows them, whatever was asked for."""
        return super().decode(encoding, "backslashreplace")
