"""An event on its way from a device to Kafka."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from evcharge.domain.quantities import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping


class Routing(Enum):
    """How the device's Kafka client chooses a partition."""

    MURMUR2 = auto()
    """As Kafka's Java client."""
    CRC32 = auto()
    """As librdkafka."""
    NO_KEY = auto()
    """Any partition, and the record has no key."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record; `due_us` is when it reaches Kafka, at its event time or later."""

    due_us: int
    topic: str
    """`charging-sessions` or `station-status`, without a prefix."""
    station_id: str
    event: Mapping[str, Any] = field(default_factory=dict)
    routing: Routing = Routing.MURMUR2
    scatter: int = 0
    """Chooses the partition under NO_KEY."""
    junk: bytes | None = None
    """Sent in place of the event."""


def timestamp(at_us: int) -> str:
    """Write an instant as devices do, to the millisecond."""
    return format_timestamp(at_us - at_us % 1000)
