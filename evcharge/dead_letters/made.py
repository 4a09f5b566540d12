"""How a rejected record becomes a dead letter."""

from __future__ import annotations

from evcharge.dead_letters.headers import dead_letter_headers
from evcharge.engine.chunk import SourceRecord
from evcharge.events.rejection import Rejected
from evcharge.kafka.log import Output


def dead_letter(
    destination: str, topic: str, partition: int, record: SourceRecord, rejected: Rejected
) -> Output:
    """Return what goes into ``partition`` of the topic ``destination`` for a record of ``topic``."""
    headers = dead_letter_headers(
        rejected.reason, rejected.detail, topic, record.partition, record.offset, record.headers
    )
    return Output(destination, partition, record.key, record.value, headers)
