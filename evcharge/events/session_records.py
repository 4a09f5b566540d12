"""From a valid event of `charging-sessions` to the record that the session rules fold over."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from evcharge.domain.quantities import KW, KWH, MICRO, MIN_INSTANT_US, units
from evcharge.domain.session_record import RecordKind, SessionRecord
from evcharge.events import fields
from evcharge.events.fields import kept
from evcharge.events.instants import instant
from evcharge.events.quick import DoubtError
from evcharge.events.received import Received
from evcharge.events.rejection import Reason, RefusedError, reject

_new = tuple.__new__
_UPDATE = RecordKind.UPDATE


class SessionFields(msgspec.Struct, gc=False):
    """The fields of all four events; those that an event does not have are absent, or mean nothing."""

    station_id: fields.Id
    session_id: fields.Id
    event: str | None = None
    timestamp: fields.Timestamp | None = None
    connector_id: fields.Connector | None = None
    user_id: fields.Id | None = None
    seq: fields.Sequence | None = None
    event_id: fields.Id | None = None
    reservation_id: fields.Id | None = None
    energy_kwh: fields.EnergyKwh | None = None
    meter_kwh: fields.EnergyKwh | None = None
    power_kw: fields.PowerKw | None = None
    current_a: fields.CurrentA | None = None
    soc_percent: fields.Percent | None = None
    charging: bool | None = None
    start_time: fields.Timestamp | None = None
    end_time: fields.Timestamp | None = None
    duration_s: fields.DurationS | None = None
    duration: fields.DurationS | None = None
    reason: fields.KeptText | None = None
    correction: bool | None = None


def ids_of(events: Sequence[SessionFields]) -> list[str]:
    """Return the members that are ids."""
    ids = [event.station_id for event in events]
    ids += [event.session_id for event in events]
    ids += [event.user_id for event in events if event.user_id is not None]
    ids += [event.event_id for event in events if event.event_id is not None]
    ids += [event.reservation_id for event in events if event.reservation_id is not None]
    return ids


def session_record(event: SessionFields, record: Received) -> SessionRecord:
    """Return what an event says.

    Raises:
        RefusedError: an instant is none, names no offset or is too far ahead.
        InexactError: a number must be given as a `DecimalFloat` to be exact.
        DoubtError: the event lacks a required field, or is none of the four.
    """
    convert = _BY_EVENT.get(event.event)
    if convert is None:
        raise DoubtError
    return convert(event, record)


def _start(event: SessionFields, record: Received) -> SessionRecord:
    if event.timestamp is None:
        raise DoubtError
    ingest_us = record.timestamp * 1000
    return SessionRecord(
        station_id=event.station_id,
        session_id=event.session_id,
        kind=RecordKind.START,
        timestamp_us=instant(event.timestamp, "timestamp", ingest_us),
        ingest_us=ingest_us,
        partition=record.partition,
        offset=record.offset,
        meter_uwh=_optional(event.meter_kwh, KWH),
        seq=event.seq,
        connector_id=event.connector_id,
        user_id=event.user_id,
        reservation_id=event.reservation_id,
        event_id=event.event_id,
    )


def _update(event: SessionFields, record: Received) -> SessionRecord:
    if event.timestamp is None:
        raise DoubtError
    ingest_us = record.timestamp * 1000
    energy, meter = event.energy_kwh, event.meter_kwh
    power, current, soc = event.power_kw, event.current_a, event.soc_percent
    # Most records are updates: a tuple from a tuple takes a third of the time.
    return _new(
        SessionRecord,
        (
            event.station_id,
            event.session_id,
            _UPDATE,
            instant(event.timestamp, "timestamp", ingest_us),
            ingest_us,
            record.partition,
            record.offset,
            None if energy is None else units(energy, KWH),
            None if meter is None else units(meter, KWH),
            None if power is None else units(power, KW),
            event.seq,
            event.charging,
            None if current is None else units(current, MICRO),
            None if soc is None else units(soc, MICRO),
            event.connector_id,
            event.user_id,
            None,  # start_time_us
            None,  # duration_us
            None,  # correction
            None,  # reason
            None,  # reservation_id
            event.event_id,
        ),
    )


def _end(event: SessionFields, record: Received) -> SessionRecord:
    if event.timestamp is None:
        raise DoubtError
    ingest_us = record.timestamp * 1000
    timestamp_us = instant(event.timestamp, "timestamp", ingest_us)
    start = event.start_time
    duration = event.duration_s
    duration_us = _optional(event.duration if duration is None else duration, MICRO)
    if duration_us is not None and timestamp_us - duration_us < MIN_INSTANT_US:
        detail = "duration_s reaches back to before the year 1."
        raise RefusedError(reject(Reason.BAD_VALUE, detail))
    return SessionRecord(
        station_id=event.station_id,
        session_id=event.session_id,
        kind=RecordKind.END,
        timestamp_us=timestamp_us,
        ingest_us=ingest_us,
        partition=record.partition,
        offset=record.offset,
        energy_uwh=_optional(event.energy_kwh, KWH),
        meter_uwh=_optional(event.meter_kwh, KWH),
        seq=event.seq,
        connector_id=event.connector_id,
        user_id=event.user_id,
        start_time_us=None if start is None else instant(start, "start_time", ingest_us),
        duration_us=duration_us,
        correction=event.correction,
        reason=kept(event.reason),
        event_id=event.event_id,
    )


def _closed(event: SessionFields, record: Received) -> SessionRecord:
    if event.start_time is None or event.end_time is None or event.energy_kwh is None:
        raise DoubtError
    ingest_us = record.timestamp * 1000
    return SessionRecord(
        station_id=event.station_id,
        session_id=event.session_id,
        kind=RecordKind.CLOSED,
        timestamp_us=instant(event.end_time, "end_time", ingest_us),
        ingest_us=ingest_us,
        partition=record.partition,
        offset=record.offset,
        energy_uwh=units(event.energy_kwh, KWH),
        seq=event.seq,
        connector_id=event.connector_id,
        user_id=event.user_id,
        start_time_us=instant(event.start_time, "start_time", ingest_us),
        event_id=event.event_id,
    )


_BY_EVENT: Mapping[str | None, Callable[[SessionFields, Received], SessionRecord]] = {
    "session_start": _start,
    "session_update": _update,
    "session_end": _end,
    None: _closed,
}


def _optional(number: float | None, scale: int) -> int | None:
    return None if number is None else units(number, scale)
