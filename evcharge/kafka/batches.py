"""Record batches as they go over the wire: what one holds is appended as a whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from aiokafka.record.default_records import DefaultRecordBatchBuilder

MAX_BATCH_BYTES = 1 << 20
"""Beyond it the next batch begins, unless a record alone is larger."""

MAX_RECORD_BYTES = 8 << 20
"""The broker's limit for a batch in those topics of ours that take the largest records."""

Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""Key, value, headers."""


_AROUND, _AROUND_HEADER = 100, 10
"""Bytes that a batch of one record has at most beside key, value and headers; and one header."""


def size_alone(
    key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
) -> int:
    """Return how many bytes a record has at most in a batch of its own."""
    size = _AROUND + len(key or b"") + len(value or b"")
    for name, content in headers:
        size += _AROUND_HEADER + len(name.encode()) + len(content or b"")
    return size


class Identity(NamedTuple):
    """Who appends: the broker refuses batches of an epoch older than the newest it has seen."""

    producer_id: int
    epoch: int


class Batch:
    """A record batch in the making; complete, it is given identity and sequence, and encoded once."""

    def __init__(self, *, transactional: bool) -> None:
        self._builder = DefaultRecordBatchBuilder(
            2, 0, int(transactional), -1, -1, 0, MAX_BATCH_BYTES
        )
        self.count = 0

    def fill(self, first: Record, others: Iterator[Record]) -> Record | None:
        """Add records until one does not fit (the first one always does); return that one."""
        append = self._builder.append
        # Our topics have append times: what stands here is not kept. One time costs less than many.
        now_ms = time.time_ns() // 1_000_000
        key, value, headers = first
        append(0, now_ms, key, value, headers)
        count = 1
        for key, value, headers in others:
            if append(count, now_ms, key, value, headers) is None:
                self.count = count
                return key, value, headers
            count += 1
        self.count = count
        return None

    def build(self, identity: Identity, sequence: int) -> bytes:
        """Return the bytes of the batch."""
        self._builder.set_producer_state(identity.producer_id, identity.epoch, sequence)
        return bytes(self._builder.build())


def in_batches(records: Iterable[Record], *, transactional: bool) -> Iterator[Batch]:
    """Yield as few batches as hold all records, in order."""
    remaining = iter(records)
    first = next(remaining, None)
    while first is not None:
        batch = Batch(transactional=transactional)
        first = batch.fill(first, remaining)
        yield batch
