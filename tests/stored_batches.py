"""Record batches as a broker keeps them: at an offset, compacted, in transactions, with markers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

from aiokafka.record.control_record import ABORT_MARKER, COMMIT_MARKER
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy


class Kind(Enum):
    """What a batch is."""

    PLAIN = "plain"
    TRANSACTIONAL = "transactional"
    COMMIT = "commit"
    ABORT = "abort"


MARKERS = {Kind.COMMIT: COMMIT_MARKER, Kind.ABORT: ABORT_MARKER}


class StoredRecord(NamedTuple):
    """A record, so far behind the base offset of its batch."""

    behind_base: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class StoredBatch(NamedTuple):
    """What a batch is made of; a marker has a record of its own."""

    base_offset: int
    offsets: int
    """Offsets it covers, of which compaction may have left few records, or none."""
    records: Sequence[StoredRecord] = ()
    kind: Kind = Kind.PLAIN
    producer: int = -1
    codec: int = 0
    append_time: bool = True

    def encode(self) -> bytes:
        """Return the bytes of the batch."""
        builder = _DefaultRecordBatchBuilderPy(
            magic=2,
            compression_type=self.codec,
            is_transactional=self.kind is not Kind.PLAIN,
            producer_id=self.producer,
            producer_epoch=0,
            base_sequence=-1,
            batch_size=64 << 20,
        )
        records = self.records
        added = builder.TIMESTAMP_TYPE_MASK if self.append_time else 0
        if self.kind in MARKERS:
            marker = MARKERS[self.kind]
            records = [StoredRecord(0, 0, struct.pack(">HH", marker.version, marker.type_), b"")]
            added |= builder.CONTROL_MASK
        for record in records:
            builder.append(
                record.behind_base, record.timestamp, record.key, record.value, record.headers
            )
        builder._last_offset = self.offsets - 1
        attributes = builder._get_attributes

        def with_added(*args: Any) -> int:
            return int(attributes(*args)) | added

        builder._get_attributes = with_added
        data = builder.build()
        struct.pack_into(">q", data, 0, self.base_offset)
        return bytes(data)
