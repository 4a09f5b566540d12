"""Builders of what a session used, as a person would tell it: minutes and kWh, one after the other."""

from __future__ import annotations

from fractions import Fraction
from zoneinfo import ZoneInfo

from evcharge.domain.pricing import Exact, Segment, SegmentKind, Usage
from evcharge.domain.quantities import parse_timestamp

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MONDAY = "2019-01-28T08:30:00Z"
"""09:30 in Amsterdam, in winter."""


def segment(
    minutes: float,
    kwh: float = 0,
    *,
    kind: SegmentKind = SegmentKind.TIME,
    kw: float | None = None,
    ampere: float | None = None,
) -> Segment:
    return Segment(
        kind,
        _units(minutes, 60 * 10**6),
        _units(kwh, 10**9),
        None if kw is None else _units(kw, 10**6),
        None if ampere is None else _units(ampere, 10**6),
    )


def parked(minutes: float, kwh: float = 0) -> Segment:
    return segment(minutes, kwh, kind=SegmentKind.PARKING_TIME)


def reserved(minutes: float, *, expired: bool = False) -> Segment:
    kind = SegmentKind.RESERVATION_EXPIRED if expired else SegmentKind.RESERVATION
    return segment(minutes, kind=kind)


def _units(number: float, scale: int) -> Exact:
    units = Fraction(repr(number)) * scale
    return units.numerator if units.denominator == 1 else units


def usage(*segments: Segment, at: str = MONDAY, zone: ZoneInfo = AMSTERDAM) -> Usage:
    return Usage(parse_timestamp(at), zone, segments)
