"""How a rejected record becomes a dead letter."""

from __future__ import annotations

from evcharge.dead_letters.headers import dead_letter_headers
from evcharge.engine.chunk import SourceRecord
from evcharge.events.rejection import Rejected
from evcharge.kafka.batches import MAX_RECORD_BYTES, size_alone
from evcharge.kafka.log import Output


def dead_letter(
    destination: str, topic: str, partition: int, record: SourceRecord, rejected: Rejected
) -> Output:
    """Return what goes into ``partition`` of the topic ``destination`` for a record of ``topic``.

    Of a record that does not fit there, only why and where it was. No topic that others write takes one;
    in one of evcharge's own somebody must have written it.
    """
    reason, detail = rejected
    place = topic, record.partition, record.offset
    headers = dead_letter_headers(reason, detail, *place, record.headers)
    size = size_alone(record.key, record.value, headers)
    if size <= MAX_RECORD_BYTES:
        return Output(destination, partition, record.key, record.value, headers)
    detail += f" Its {size:,} bytes do not fit here and are left where they were."
    return Output(destination, partition, None, None, dead_letter_headers(reason, detail, *place))
