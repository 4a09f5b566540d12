"""How a session's records become what is priced: the one function from device events to segments."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from zoneinfo import ZoneInfo

from evcharge.domain.pricing.usage import Segment, SegmentKind, Usage
from evcharge.domain.session.energy import Metering, read
from evcharge.domain.session.limits import Limits
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session.reduce import by_weight
from evcharge.domain.session.state import SessionState
from evcharge.domain.session_record import SessionRecord

_CHARGING, _PARKING = SegmentKind.TIME, SegmentKind.PARKING_TIME
_FACTS = attrgetter("timestamp_us", "energy_uwh", "meter_uwh", "power_mw", "charging", "current_ua")


def session_usage(
    state: SessionState, ordered: Sequence[SessionRecord], zone: ZoneInfo, limits: Limits
) -> Usage | None:
    """Return what a session used up to its end, or while it is open up to its last record.

    ``ordered`` are all of its records, each once and in order, ``state`` is what they fold to. The
    segments' durations add up to the session's, their energy to ``state.energy_uwh``. None: no start is
    known, or the end is before it.

    * A segment lies between two records. What a record says of power, current and ``charging`` holds
      from it on, until another says otherwise. Before, power and current are unknown; the car charges.
    * ``charging`` false is parking. A gap without energy is none: smart charging pauses.
    * Energy is known where a record states it. In between it accrues evenly over the time that is not
      parking, or over all of it if there is no other, in whole micro-watt-hours.
    * A reading above the final energy counts as the final energy: a correction may have lowered it.
    * Records before the start count as if they came with it, those behind the end not at all.
    """
    started = state.started_us
    ended = state.last_us if state.ended_us is None else state.ended_us
    if started is None or ended < started:
        return None
    final = state.energy_uwh or 0
    segments: list[Segment] = []
    since_reading: list[Segment] = []
    at, counted = started, 0
    kind = _CHARGING
    power: int | None = None
    current: int | None = None
    energy, base, register, relative, decreased, leaped = Metering()
    # As in `reduce.py`, plain tuples and comparisons: this is most of the time of a running cost.
    for instant, read_uwh, meter_uwh, read_mw, charging, read_ua in map(
        _FACTS, _before_the_end(ordered, ended)
    ):
        took = max(instant - at, 0)
        is_reading = read_uwh is not None or meter_uwh is not None
        if meter_uwh is not None:
            energy, base, register, relative, decreased, leaped = read(
                Metering(energy, base, register, relative, decreased, leaped),
                read_uwh,
                meter_uwh,
                limits.max_leap_uwh,
            )
        elif read_uwh is not None and read_uwh >= (energy or 0):
            energy = read_uwh
        if is_reading and energy is not None:
            upto = min(energy, final)
            if since_reading:
                since_reading.append(_segment(kind, took, 0, power, current))
                segments += _spread(since_reading, upto - counted)
                since_reading = []
            elif took or upto > counted:
                segments.append(_segment(kind, took, upto - counted, power, current))
            counted = upto
        elif took:
            since_reading.append(_segment(kind, took, 0, power, current))
        at += took
        if charging is not None:
            kind = _CHARGING if charging else _PARKING
        if read_mw is not None:
            power = read_mw
        if read_ua is not None:
            current = read_ua
    if ended > at or since_reading or counted < final or not segments:
        since_reading.append(Segment(kind, ended - at, 0, power, current))
    return Usage(started, zone, (*segments, *_spread(since_reading, final - counted)))


def _before_the_end(ordered: Sequence[SessionRecord], ended: int) -> Sequence[SessionRecord]:
    """Return the starts and updates before the accepted end: those that tell of energy and power.

    Of an open session they are all of them; but one with too many records ends with its last reading,
    for what came behind that is only kept if it was among the first to arrive (``flood.py``).
    """
    ends = [record for record in ordered if record.kind >= END_RANK]
    if ends:
        accepted = ordered.index(by_weight(ends)[0])
        return [record for record in ordered[:accepted] if record.kind < END_RANK]
    if ordered and ordered[-1].timestamp_us > ended:
        return [record for record in ordered if record.timestamp_us <= ended]
    return ordered


def _segment(
    kind: SegmentKind, took: int, drew: int, power: int | None, current: int | None
) -> Segment:
    return tuple.__new__(Segment, (kind, took, drew, power, current))


def _spread(segments: Sequence[Segment], energy_uwh: int) -> list[Segment]:
    """Return consecutive segments with an energy spread over their charging time."""
    if len(segments) == 1:
        kind, duration, _, power, current = segments[0]
        return [Segment(kind, duration, energy_uwh, power, current)]
    weights = [0 if each.kind is _PARKING else int(each.duration_us) for each in segments]
    total = sum(weights)
    if not total:
        weights = [int(each.duration_us) for each in segments]
        total = sum(weights)
    spread: list[Segment] = []
    given = passed = 0
    for place, (each, weight) in enumerate(zip(segments, weights, strict=True), 1):
        passed += weight
        upto = energy_uwh if place == len(segments) or not total else energy_uwh * passed // total
        spread.append(each._replace(energy_uwh=upto - given))
        given = upto
    return spread
