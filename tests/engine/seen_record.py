"""A consumed record, whoever read it: what two readers must agree in."""

from __future__ import annotations

from typing import Any

from evcharge.engine.chunk import FirstArrival


def seen(record: Any) -> FirstArrival:
    """Return what there is to see of a record, of aiokafka's or of ours."""
    return FirstArrival(
        record.key,
        record.value,
        record.timestamp,
        record.partition,
        record.offset,
        tuple(record.headers),
    )
