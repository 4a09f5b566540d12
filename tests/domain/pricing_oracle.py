"""The rules of pricing told a second time, minute by minute: slow, plain, and sharing no code.

For sessions that begin on a full minute, segments of whole minutes, and restrictions on time in
whole minutes, nothing but the energy can flip within a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from evcharge.domain.pricing import Segment, SegmentKind, Usage
from evcharge.domain.tariff import Component, Dimension, Reservation, Restrictions, Tariff

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_US, KWH_UWH = 3_600_000_000, 1_000_000_000


class Moment(NamedTuple):
    """A piece of a session in which nothing flips."""

    kind: SegmentKind
    local: datetime
    since_start_us: Fraction
    energy_so_far: Fraction
    power: Fraction | int | None
    current: Fraction | int | None
    took_us: Fraction
    drew_uwh: Fraction


def moments(tariff: Tariff, usage: Usage) -> Iterator[Moment]:
    """Cut a session by the minute, and where its energy reaches a bound."""
    bounds = sorted(
        {b for e in tariff.elements for b in e.restrictions.energy_uwh if b is not None}
    )
    reserved = sum(Fraction(s.duration_us) for s in usage.segments if s.kind.is_reservation)
    at, energy = Fraction(0), Fraction(0)
    for segment in usage.segments:
        minutes = int(segment.duration_us) // 60_000_000
        for _ in range(minutes or 1):
            took = Fraction(segment.duration_us, minutes or 1)
            drew = Fraction(segment.energy_uwh) / (minutes or 1)
            inside = [b for b in bounds if energy < b < energy + drew]
            instant = EPOCH + timedelta(microseconds=usage.started_us + int(at))
            for low, high in zip([energy, *inside], [*inside, energy + drew], strict=True):
                share = (high - low) / drew if drew else Fraction(1)
                yield Moment(
                    segment.kind,
                    instant.astimezone(usage.zone),
                    max(at - reserved, Fraction(0)),
                    low,
                    segment.power_mw,
                    segment.current_ua,
                    took * share,
                    drew * share,
                )
            at, energy = at + took, energy + drew


def holds(rules: Restrictions, moment: Moment) -> bool:
    """Whether an element holds, whatever it is for."""

    def within(value: Fraction | int | None, low: Fraction | None, high: Fraction | None) -> bool:
        if low is None and high is None:
            return True
        return (
            value is not None and (low is None or low <= value) and (high is None or value < high)
        )

    second = moment.local.hour * 3600 + moment.local.minute * 60
    day = (moment.local.date() - date(1970, 1, 1)).days
    start, end = rules.start_s or 0, 86_400 if rules.end_s is None else rules.end_s
    in_time = start <= second < end if start < end else (second >= start or second < end)
    return (
        in_time
        and (rules.start_day is None or day >= rules.start_day)
        and (rules.end_day is None or day < rules.end_day)
        and (not rules.weekdays or moment.local.weekday() in rules.weekdays)
        and within(moment.energy_so_far, *rules.energy_uwh)
        and within(moment.since_start_us, *rules.duration_us)
        and within(moment.power, *rules.power_mw)
        and within(moment.current, *rules.current_ua)
    )


def component(tariff: Tariff, moment: Moment, dimension: Dimension) -> Component | None:
    """Return the one that counts."""
    wanted: dict[SegmentKind, list[Reservation | None]] = {
        SegmentKind.RESERVATION: [Reservation.RESERVATION],
        SegmentKind.RESERVATION_EXPIRED: [
            Reservation.RESERVATION_EXPIRES,
            Reservation.RESERVATION,
        ],
    }
    for reservation in wanted.get(moment.kind, [None]):
        for element in tariff.elements:
            if element.restrictions.reservation is reservation and holds(
                element.restrictions, moment
            ):
                for each in element.components:
                    if each.dimension is dimension:
                        return each
    return None


def totals(tariff: Tariff, usage: Usage) -> tuple[Fraction, Fraction]:
    """Return what a session costs exactly, without and with VAT, before minimum and maximum."""
    fees: dict[bool, Component] = {}
    used: dict[str, list[tuple[Component, Fraction]]] = {}
    last_time = "TIME"
    for moment in moments(tariff, usage):
        reservation = moment.kind.is_reservation
        fee = component(tariff, moment, Dimension.FLAT)
        if fee is not None:
            fees.setdefault(reservation, fee)
        each = component(tariff, moment, Dimension.ENERGY)
        if each is not None and moment.drew_uwh:
            used.setdefault("ENERGY", []).append((each, moment.drew_uwh))
        parks = moment.kind is SegmentKind.PARKING_TIME
        each = component(tariff, moment, Dimension.PARKING_TIME if parks else Dimension.TIME)
        if each is not None and moment.took_us:
            name = "RESERVATION" if reservation else each.dimension.value
            used.setdefault(name, []).append((each, moment.took_us))
            last_time = last_time if reservation else name
    for name, pieces in used.items():
        if name in {"ENERGY", "RESERVATION", last_time}:
            last, step = pieces[-1][0], pieces[-1][0].step_size * 1_000_000
            total = sum(quantity for _, quantity in pieces)
            pieces.append((last, ceil(total / step) * step - Fraction(total)))
    charged = [(fee, Fraction(1)) for fee in fees.values()] + [
        (each, quantity / (KWH_UWH if name == "ENERGY" else HOUR_US))
        for name, pieces in used.items()
        for each, quantity in pieces
    ]
    excl = sum((Fraction(each.price) * amount for each, amount in charged), Fraction(0))
    vat = sum(
        (
            Fraction(each.price) * amount * Fraction(each.vat_percent or 0) / 100
            for each, amount in charged
        ),
        Fraction(0),
    )
    return excl, excl + vat


def cut(segment: Segment, share: Fraction) -> list[Segment]:
    """Return a segment as two, the first with a share of it."""
    took, drew = segment.duration_us * share, segment.energy_uwh * share
    return [
        segment._replace(duration_us=took, energy_uwh=drew),
        segment._replace(
            duration_us=segment.duration_us - took, energy_uwh=segment.energy_uwh - drew
        ),
    ]
