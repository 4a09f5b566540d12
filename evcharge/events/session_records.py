"""From a valid event of `charging-sessions` to the record that the session rules fold over."""

from collections.abc import Callable, Mapping
from typing import Any

from evcharge.domain.quantities import KW, KWH, MICRO, MIN_INSTANT_US, units
from evcharge.domain.session_record import RecordKind, SessionRecord
from evcharge.events.charging_sessions import (
    ClosedSession,
    SessionEnd,
    SessionEvent,
    SessionStart,
    SessionUpdate,
)
from evcharge.events.fields import kept
from evcharge.events.instants import instant
from evcharge.events.received import Received
from evcharge.events.rejection import Reason, RefusedError, reject


def session_record(event: SessionEvent, record: Received) -> SessionRecord:
    """Return what a valid event says.

    Raises:
        RefusedError: an instant is none, names no offset or is too far ahead.
        InexactError: a number must be given as a `DecimalFloat` to be exact.
    """
    return _BY_EVENT[event.get("event")](event, record)


def _start(event: SessionStart, record: Received) -> SessionRecord:
    ingest_us = record.timestamp * 1000
    return SessionRecord(
        station_id=event["station_id"],
        session_id=event["session_id"],
        kind=RecordKind.START,
        timestamp_us=instant(event["timestamp"], "timestamp", ingest_us),
        ingest_us=ingest_us,
        partition=record.partition,
        offset=record.offset,
        meter_uwh=_optional(event.get("meter_kwh"), KWH),
        seq=event.get("seq"),
        connector_id=event.get("connector_id"),
        user_id=event.get("user_id"),
        reservation_id=event.get("reservation_id"),
        event_id=event.get("event_id"),
    )


def _update(event: SessionUpdate, record: Received) -> SessionRecord:
    # Most records are updates: arguments by position take half the time.
    ingest_us = record.timestamp * 1000
    energy, meter = event.get("energy_kwh"), event.get("meter_kwh")
    power, current, soc = event.get("power_kw"), event.get("current_a"), event.get("soc_percent")
    return SessionRecord(
        event["station_id"],
        event["session_id"],
        RecordKind.UPDATE,
        instant(event["timestamp"], "timestamp", ingest_us),
        ingest_us,
        record.partition,
        record.offset,
        None if energy is None else units(energy, KWH),
        None if meter is None else units(meter, KWH),
        None if power is None else units(power, KW),
        event.get("seq"),
        event.get("charging"),
        None if current is None else units(current, MICRO),
        None if soc is None else units(soc, MICRO),
        event.get("connector_id"),
        event.get("user_id"),
        None,  # start_time_us
        None,  # duration_us
        None,  # correction
        None,  # reason
        None,  # reservation_id
        event.get("event_id"),
    )


def _end(event: SessionEnd, record: Received) -> SessionRecord:
    ingest_us = record.timestamp * 1000
    timestamp_us = instant(event["timestamp"], "timestamp", ingest_us)
    start = event.get("start_time")
    duration = event.get("duration_s")
    duration_us = _optional(event.get("duration") if duration is None else duration, MICRO)
    if duration_us is not None and timestamp_us - duration_us < MIN_INSTANT_US:
        detail = "duration_s reaches back to before the year 1."
        raise RefusedError(reject(Reason.BAD_VALUE, detail))
    return SessionRecord(
        station_id=event["station_id"],
        session_id=event["session_id"],
        kind=RecordKind.END,
        timestamp_us=timestamp_us,
        ingest_us=ingest_us,
        partition=record.partition,
        offset=record.offset,
        energy_uwh=_optional(event.get("energy_kwh"), KWH),
        meter_uwh=_optional(event.get("meter_kwh"), KWH),
        seq=event.get("seq"),
        connector_id=event.get("connector_id"),
        user_id=event.get("user_id"),
        start_time_us=None if start is None else instant(start, "start_time", ingest_us),
        duration_us=duration_us,
        correction=event.get("correction"),
        reason=kept(event.get("reason")),
        event_id=event.get("event_id"),
    )


def _closed(event: ClosedSession, record: Received) -> SessionRecord:
    ingest_us = record.timestamp * 1000
    return SessionRecord(
        station_id=event["station_id"],
        session_id=event["session_id"],
        kind=RecordKind.CLOSED,
        timestamp_us=instant(event["end_time"], "end_time", ingest_us),
        ingest_us=ingest_us,
        partition=record.partition,
        offset=record.offset,
        energy_uwh=units(event["energy_kwh"], KWH),
        seq=event.get("seq"),
        connector_id=event.get("connector_id"),
        user_id=event.get("user_id"),
        start_time_us=instant(event["start_time"], "start_time", ingest_us),
        event_id=event.get("event_id"),
    )


_BY_EVENT: Mapping[str | None, Callable[[Any, Received], SessionRecord]] = {
    "session_start": _start,
    "session_update": _update,
    "session_end": _end,
    None: _closed,
}


def _optional(number: float | None, scale: int) -> int | None:
    return None if number is None else units(number, scale)
