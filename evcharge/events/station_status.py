"""The event of the topic `station-status`: what a connector is, or that it is still there."""

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, get_args

import msgspec
from pydantic import TypeAdapter, with_config
from typing_extensions import TypedDict

from evcharge.domain.status_report import Status, StatusReport
from evcharge.events.fields import STRICT, ConnectorOrStation, Id, KeptText, Timestamp, kept
from evcharge.events.instants import instant
from evcharge.events.quick import DoubtError
from evcharge.events.received import Received

Sent = Literal[Status.FREE, Status.OCCUPIED, Status.RESERVED, Status.UNAVAILABLE, Status.FAULTED]
"""What a device may say; the others are computed."""

_SENT: dict[str, Status] = {status.value: status for status in get_args(Sent)}
_new = tuple.__new__


@with_config(STRICT)
class StationStatusEvent(TypedDict):
    """The status of a connector from an instant on; repeated as a heartbeat."""

    station_id: Id
    timestamp: Timestamp
    """When the status began, by the device's clock."""
    status: Sent
    connector_id: NotRequired[ConnectorOrStation | None]
    """Absent: 1. 0 is the whole station."""
    error_code: NotRequired[KeptText | None]
    """An OCPP 1.6 `ChargePointErrorCode`, or other text."""
    event_id: NotRequired[Id | None]
    """The device's own name of the event."""


MODEL: TypeAdapter[StationStatusEvent] = TypeAdapter(StationStatusEvent)
CHUNK: TypeAdapter[list[StationStatusEvent]] = TypeAdapter(list[StationStatusEvent])


class StatusFields(msgspec.Struct, gc=False):
    """The fields of the event."""

    station_id: Id
    timestamp: Timestamp
    status: str
    connector_id: ConnectorOrStation | None = None
    error_code: KeptText | None = None
    event_id: Id | None = None


def ids_of(events: Sequence[StatusFields]) -> list[list[str]]:
    """Return the members that are ids."""
    return [
        [event.station_id for event in events],
        [each for event in events if (each := event.event_id) is not None],
    ]


def status_report(event: StatusFields, record: Received) -> StatusReport:
    """Return what an event says.

    Raises:
        RefusedError: its timestamp is none, names no offset or is too far ahead.
        DoubtError: no device may send its status.
    """
    status = _SENT.get(event.status)
    if status is None:
        raise DoubtError
    ingest_us = record.timestamp * 1000
    connector_id, error_code = event.connector_id, event.error_code
    return _new(
        StatusReport,
        (
            event.station_id,
            1 if connector_id is None else connector_id,
            status,
            instant(event.timestamp, "timestamp", ingest_us),
            ingest_us,
            record.partition,
            record.offset,
            error_code if error_code is None else kept(error_code),
            event.event_id,
        ),
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the event."""
    return MODEL.json_schema()
