"""Record batches as they go over the wire: what one holds is appended as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aiokafka.record.default_records import DefaultRecordBatchBuilder

MAX_BATCH_BYTES = 1 << 20
"""Beyond it the next batch begins; the broker's limit for our topics is larger than any record."""

Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""Key, value, headers."""


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

    def append(self, record: Record) -> bool:
        """Add a record; false if it does not fit (the first one always does)."""
        key, value, headers = record
        # Our topics have append times: what stands here is not kept.
        if self._builder.append(self.count, None, key, value, headers) is None:
            return False
        self.count += 1
        return True

    def build(self, identity: Identity, sequence: int) -> bytes:
        """Return the bytes of the batch."""
        self._builder.set_producer_state(identity.producer_id, identity.epoch, sequence)
        return bytes(self._builder.build())


def in_batches(records: Iterable[Record], *, transactional: bool) -> Iterator[Batch]:
    """Yield as few batches as hold all records, in order."""
    batch = Batch(transactional=transactional)
    for record in records:
        if not batch.append(record):
            yield batch
            batch = Batch(transactional=transactional)
            batch.append(record)
    if batch.count:
        yield batch
