"""From a valid event of `charging-sessions` to the record that the session rules fold over."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import msgspec

from evcharge.domain.quantities import KW, KWH, MICRO, MIN_INSTANT_US, units, units_of_all
from evcharge.domain.session_record import RecordKind, SessionRecord
from evcharge.events import fields
from evcharge.events.fields import kept
from evcharge.events.instants import instant, instants
from evcharge.events.quick import DoubtError
from evcharge.events.received import Received
from evcharge.events.rejection import Reason, RefusedError, reject

_new = tuple.__new__  # of a tuple: a third of the time that the fields by their names take
_START, _UPDATE, _END = RecordKind.START, RecordKind.UPDATE, RecordKind.END


class SessionFields(msgspec.Struct, kw_only=True, gc=False):
    """The fields of all four events; those that an event does not have are absent, or mean nothing.

    They are read fastest in an event that has them in this order.
    """

    event: str | None = None
    session_id: fields.Id
    station_id: fields.Id
    timestamp: fields.Timestamp | None = None
    seq: fields.Sequence | None = None
    event_id: fields.Id | None = None
    connector_id: fields.Connector | None = None
    user_id: fields.Id | None = None
    energy_kwh: fields.EnergyKwh | None = None
    meter_kwh: fields.EnergyKwh | None = None
    power_kw: fields.PowerKw | None = None
    current_a: fields.CurrentA | None = None
    soc_percent: fields.Percent | None = None
    charging: bool | None = None
    reservation_id: fields.Id | None = None
    start_time: fields.Timestamp | None = None
    end_time: fields.Timestamp | None = None
    duration_s: fields.DurationS | None = None
    duration: fields.DurationS | None = None
    reason: fields.KeptText | None = None
    correction: bool | None = None


def ids_of(events: Sequence[SessionFields]) -> list[list[str]]:
    """Return the members that are ids."""
    return [
        [event.station_id for event in events],
        [event.session_id for event in events],
        [each for event in events if (each := event.event_id) is not None],
        [each for event in events if (each := event.user_id) is not None],
        [each for event in events if (each := event.reservation_id) is not None],
    ]


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


def is_update(events: Sequence[SessionFields]) -> list[bool]:
    """Tell which events are updates, as most are."""
    return [event.event == "session_update" for event in events]


def session_updates(
    events: Sequence[SessionFields], records: Sequence[Received]
) -> list[SessionRecord]:
    """Return :func:`session_record` of each of many updates, in less time.

    Raises:
        DoubtError, InexactError: one of them needs a closer look.
    """
    texts = [text for event in events if (text := event.timestamp) is not None]
    if len(texts) < len(events):
        raise DoubtError
    ingests_us = [record.timestamp * 1000 for record in records]
    columns: list[Iterable[Any]] = [
        [event.station_id for event in events],
        [event.session_id for event in events],
        repeat(_UPDATE),
        instants(texts, ingests_us),
        ingests_us,
        [record.partition for record in records],
        [record.offset for record in records],
        _all_optional([event.energy_kwh for event in events], KWH),
        _all_optional([event.meter_kwh for event in events], KWH),
        _all_optional([event.power_kw for event in events], KW),
        [event.seq for event in events],
        [event.charging for event in events],
        _all_optional([event.current_a for event in events], MICRO),
        _all_optional([event.soc_percent for event in events], MICRO),
        [event.connector_id for event in events],
        [event.user_id for event in events],
        *[repeat(None)] * 5,  # from start_time_us to reservation_id
    ]
    return list(map(_new, repeat(SessionRecord), zip(*columns, strict=False)))


def _start(event: SessionFields, record: Received) -> SessionRecord:
    if event.timestamp is None:
        raise DoubtError
    ingest_us = record.timestamp * 1000
    meter = event.meter_kwh
    return _new(
        SessionRecord,
        (
            event.station_id,
            event.session_id,
            _START,
            instant(event.timestamp, "timestamp", ingest_us),
            ingest_us,
            record.partition,
            record.offset,
            None,  # energy_uwh
            None if meter is None else units(meter, KWH),
            None,  # power_mw
            event.seq,
            None,  # charging
            None,  # current_ua
            None,  # soc_millionths
            event.connector_id,
            event.user_id,
            None,  # start_time_us
            None,  # duration_us
            None,  # correction
            None,  # reason
            event.reservation_id,
        ),
    )


def _update(event: SessionFields, record: Received) -> SessionRecord:
    if event.timestamp is None:
        raise DoubtError
    ingest_us = record.timestamp * 1000
    energy, meter = event.energy_kwh, event.meter_kwh
    power, current, soc = event.power_kw, event.current_a, event.soc_percent
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
        ),
    )


def _end(event: SessionFields, record: Received) -> SessionRecord:
    if event.timestamp is None:
        raise DoubtError
    ingest_us = record.timestamp * 1000
    timestamp_us = instant(event.timestamp, "timestamp", ingest_us)
    energy, meter, start = event.energy_kwh, event.meter_kwh, event.start_time
    duration = event.duration if event.duration_s is None else event.duration_s
    duration_us = None if duration is None else units(duration, MICRO)
    if duration_us is not None and timestamp_us - duration_us < MIN_INSTANT_US:
        detail = "duration_s reaches back to before the year 1."
        raise RefusedError(reject(Reason.BAD_VALUE, detail))
    return _new(
        SessionRecord,
        (
            event.station_id,
            event.session_id,
            _END,
            timestamp_us,
            ingest_us,
            record.partition,
            record.offset,
            None if energy is None else units(energy, KWH),
            None if meter is None else units(meter, KWH),
            None,  # power_mw
            event.seq,
            None,  # charging
            None,  # current_ua
            None,  # soc_millionths
            event.connector_id,
            event.user_id,
            None if start is None else instant(start, "start_time", ingest_us),
            duration_us,
            event.correction,
            kept(event.reason),
            None,  # reservation_id
        ),
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
    )


_BY_EVENT: Mapping[str | None, Callable[[SessionFields, Received], SessionRecord]] = {
    "session_start": _start,
    "session_update": _update,
    "session_end": _end,
    None: _closed,
}


def _all_optional(numbers: Sequence[float | None], scale: int) -> Iterable[int | None]:
    try:
        return units_of_all(numbers, scale)  # type: ignore[arg-type]  # TypeError, then
    except TypeError:
        there = [number for number in numbers if number is not None]
    if not there:
        return numbers  # type: ignore[return-value]  # all are None
    found = iter(units_of_all(there, scale))
    return [None if number is None else next(found) for number in numbers]
