"""The records of the device topics decoded: each is what it says, or why it was rejected."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from evcharge.domain.session_record import SessionRecord
from evcharge.domain.status_report import StatusReport
from evcharge.events import charging_sessions, session_records, station_status
from evcharge.events.chunk import ChunkDecoder
from evcharge.events.many import Many
from evcharge.events.quick import QuickReader
from evcharge.events.received import Received
from evcharge.events.rejection import Rejected
from evcharge.events.session_records import (
    SessionFields,
    is_update,
    session_record,
    session_updates,
)
from evcharge.events.station_status import StationStatusEvent, StatusFields, status_report


def _status_model(_members: Mapping[str, Any]) -> TypeAdapter[StationStatusEvent]:
    return station_status.MODEL


STATION_STATUS = ChunkDecoder(
    QuickReader(StatusFields, station_status.ids_of),
    station_status.CHUNK,
    _status_model,
    StatusFields,
    status_report,
)
CHARGING_SESSIONS = ChunkDecoder(
    QuickReader(SessionFields, session_records.ids_of),
    charging_sessions.CHUNK,
    charging_sessions.model_of,
    SessionFields,
    session_record,
    Many(is_update, session_updates),
)


def decode_station_status(
    records: Sequence[Received], *, max_bytes: int
) -> list[StatusReport | Rejected]:
    """Decode records of `station-status`: one result for each, at its index. Never raises."""
    return STATION_STATUS.decode(records, max_bytes)


def decode_charging_sessions(
    records: Sequence[Received], *, max_bytes: int
) -> list[SessionRecord | Rejected]:
    """Decode records of `charging-sessions`: one result for each, at its index. Never raises."""
    return CHARGING_SESSIONS.decode(records, max_bytes)
