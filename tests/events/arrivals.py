"""Records as they arrive, for the tests of the decoders."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from evcharge.domain.session_record import SessionRecord
from evcharge.domain.status_report import StatusReport
from evcharge.events.decode import decode_charging_sessions, decode_station_status
from evcharge.events.rejection import Rejected

MAX_BYTES = 65_536
NOON_MS = 1_682_942_400_000
"""2023-05-01T12:00:00Z, when everything arrives."""
NOON_US = NOON_MS * 1000


class Arrival(NamedTuple):
    """One record of a device topic."""

    value: bytes | None
    timestamp: int = NOON_MS
    partition: int = 3
    offset: int = 7


def to_bytes(event: Any) -> bytes:
    return event if isinstance(event, bytes) else json.dumps(event).encode()


def session_outcome(event: Any) -> SessionRecord | Rejected:
    """What one record of `charging-sessions` decodes to; the event is an object or bytes."""
    [outcome] = decode_charging_sessions([Arrival(to_bytes(event))], max_bytes=MAX_BYTES)
    return outcome


def session_of(event: Any) -> SessionRecord:
    outcome = session_outcome(event)
    assert isinstance(outcome, SessionRecord), outcome
    return outcome


def status_outcome(event: Any) -> StatusReport | Rejected:
    """What one record of `station-status` decodes to."""
    [outcome] = decode_station_status([Arrival(to_bytes(event))], max_bytes=MAX_BYTES)
    return outcome


START = {
    "event": "session_start",
    "session_id": "S1",
    "station_id": "EV-001",
    "timestamp": "2023-05-01T10:15:30Z",
}
UPDATE = START | {"event": "session_update", "energy_kwh": 12.3}
END = START | {"event": "session_end", "energy_kwh": 22.5}
CLOSED = {
    "session_id": "S12345",
    "station_id": "EV-001",
    "start_time": "2023-05-01T10:15:30Z",
    "end_time": "2023-05-01T12:00:00Z",
    "energy_kwh": 22.5,
    "user_id": "U67890",
}
STATUS = {"station_id": "EV-001", "timestamp": "2023-05-01T10:15:30Z", "status": "occupied"}
