"""Records that sit in another partition than their station's: how they travel, how they are restored.

The owner of the right partition finds them in ``<topic>-rerouted`` and treats them as if they had
arrived where they belong, at their first time: key, value, place and ingest time are the first ones.
"""

from __future__ import annotations

from evcharge.engine.chunk import FirstArrival, SourceRecord
from evcharge.kafka.log import Output

SUFFIX = "-rerouted"

_PARTITION = "source-partition"
_OFFSET = "source-offset"
_INGEST = "ingest-ms"


def forward(record: SourceRecord, topic: str, partition: int) -> Output:
    """Return what carries ``record`` to ``partition`` of the rerouted topic ``topic``."""
    headers = [
        *record.headers,
        (_PARTITION, str(record.partition).encode()),
        (_OFFSET, str(record.offset).encode()),
        (_INGEST, str(record.timestamp).encode()),
    ]
    return Output(topic, partition, record.key, record.value, headers)


def restore(record: SourceRecord) -> SourceRecord:
    """Return the record as it first arrived.

    A record in a rerouted topic without (valid) headers of ours was written by somebody else: it is
    taken as it is.
    """
    ours: dict[str, int] = {}
    others: list[tuple[str, bytes | None]] = []
    for name, value in record.headers:
        # A value may be null, which is no bytes at all.
        if (
            name in {_PARTITION, _OFFSET, _INGEST}
            and value
            and value.isdigit()
            and len(value) <= 18
        ):
            ours[name] = int(value)
        else:
            others.append((name, value))
    if len(ours) < 3:
        return record
    return FirstArrival(
        record.key, record.value, ours[_INGEST], ours[_PARTITION], ours[_OFFSET], others
    )
