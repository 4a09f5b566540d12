"""One record of the ``station-status`` topic, decoded."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """What a connector or a station can be (docs/statuses.md maps them to OCPP and OCPI)."""

    FREE = "free"
    OCCUPIED = "occupied"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"
    BLOCKED = "blocked"
    """Computed only: the EVSE is taken through another of its plugs."""
    UNKNOWN = "unknown"
    """Computed only: silent for longer than ``EVCHARGE_STATUS_SILENCE_S``, or never heard of."""


class StatusReport(NamedTuple):
    """One decoded status event; ``connector_id`` 0 means the whole station."""

    station_id: str
    connector_id: int
    status: Status
    """One of the five that a device may send (never BLOCKED or UNKNOWN)."""
    timestamp_us: int
    """Event time as the device states it."""
    ingest_us: int
    partition: int
    offset: int
    error_code: str | None = None
    event_id: str | None = None
