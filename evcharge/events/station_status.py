"""The event of the topic `station-status`: what a connector is, or that it is still there."""

from typing import Any, Literal, NotRequired

from pydantic import TypeAdapter, with_config
from typing_extensions import TypedDict

from evcharge.domain.status_report import Status, StatusReport
from evcharge.events.fields import STRICT, ConnectorOrStation, Id, KeptText, Timestamp, kept
from evcharge.events.instants import instant
from evcharge.events.received import Received


@with_config(STRICT)
class StationStatusEvent(TypedDict):
    """The status of a connector from an instant on; repeated as a heartbeat."""

    station_id: Id
    timestamp: Timestamp
    """When the status began, by the device's clock."""
    status: Literal[
        Status.FREE, Status.OCCUPIED, Status.RESERVED, Status.UNAVAILABLE, Status.FAULTED
    ]
    connector_id: NotRequired[ConnectorOrStation | None]
    """Absent: 1. 0 is the whole station."""
    error_code: NotRequired[KeptText | None]
    """An OCPP 1.6 `ChargePointErrorCode`, or other text."""
    event_id: NotRequired[Id | None]
    """The device's own name of the event."""


MODEL: TypeAdapter[StationStatusEvent] = TypeAdapter(StationStatusEvent)
CHUNK: TypeAdapter[list[StationStatusEvent]] = TypeAdapter(list[StationStatusEvent])


def status_report(event: StationStatusEvent, record: Received) -> StatusReport:
    """Return what a valid event says.

    Raises:
        RefusedError: its timestamp is none, names no offset or is too far ahead.
    """
    ingest_us = record.timestamp * 1000
    connector_id = event.get("connector_id")
    return StatusReport(
        event["station_id"],
        1 if connector_id is None else connector_id,
        event["status"],
        instant(event["timestamp"], "timestamp", ingest_us),
        ingest_us,
        record.partition,
        record.offset,
        kept(event.get("error_code")),
        event.get("event_id"),
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the event."""
    return MODEL.json_schema()
