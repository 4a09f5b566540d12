"""Builders of tariffs and sessions, as a person would tell them: hours, minutes, kWh, euros."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from evcharge.domain.pricing import Cost, Exact, Plan, Segment, SegmentKind, Usage, cost_json, price
from evcharge.domain.quantities import parse_timestamp
from evcharge.domain.tariff import (
    DAY_S,
    Bound,
    Component,
    Dimension,
    Element,
    Reservation,
    Restrictions,
    Tariff,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MONDAY = "2019-01-28T08:30:00Z"
"""09:30 in Amsterdam, in winter."""


def energy(price: str, *, vat: str | None = None, step: int = 1) -> Component:
    return _component(Dimension.ENERGY, price, vat, step)


def time(price: str, *, vat: str | None = None, step: int = 1) -> Component:
    return _component(Dimension.TIME, price, vat, step)


def parking(price: str, *, vat: str | None = None, step: int = 1) -> Component:
    return _component(Dimension.PARKING_TIME, price, vat, step)


def flat(price: str, *, vat: str | None = None) -> Component:
    return _component(Dimension.FLAT, price, vat, 1)


def _component(dimension: Dimension, price: str, vat: str | None, step: int) -> Component:
    return Component(dimension, Decimal(price), None if vat is None else Decimal(vat), step)


def element(
    *components: Component,
    start: str | None = None,
    end: str | None = None,
    kwh: tuple[float | None, float | None] = (None, None),
    kw: tuple[float | None, float | None] = (None, None),
    ampere: tuple[float | None, float | None] = (None, None),
    minutes: tuple[float | None, float | None] = (None, None),
    weekdays: tuple[int, ...] = (),
    dates: tuple[int | None, int | None] = (None, None),
    reservation: Reservation | None = None,
) -> Element:
    """Return an element; ranges are (from, until), ``dates`` days since 1970-01-01."""
    return Element(
        components,
        Restrictions(
            _second(start),
            _second(end) or DAY_S if end else None,
            *dates,
            _range(kwh, 10**9),
            _range(ampere, 10**6),
            _range(kw, 10**6),
            _range(minutes, 60 * 10**6),
            frozenset(weekdays),
            reservation,
        ),
    )


def _second(clock: str | None) -> int | None:
    return None if clock is None else int(clock[:2]) * 3600 + int(clock[3:]) * 60


def _range(
    pair: tuple[float | None, float | None], scale: int
) -> tuple[Fraction | None, Fraction | None]:
    low, high = (None if each is None else Fraction(repr(each)) * scale for each in pair)
    return low, high


def tariff(*elements: Element, currency: str = "EUR", **fields: Any) -> Tariff:
    return Tariff("T1", currency, elements, **fields)


def bound(excl: str, incl: str | None = None) -> Bound:
    return Bound(Decimal(excl), None if incl is None else Decimal(incl))


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


def cost(terms: Tariff, session: Usage) -> Cost:
    return price(Plan(terms), session)


def exact(cost: Cost) -> tuple[Fraction, Fraction]:
    """Return the sums of the lines, without and with VAT."""
    return (
        Fraction(sum(line.excl_vat for line in cost.lines), cost.scale),
        Fraction(sum(line.incl_vat for line in cost.lines), cost.scale),
    )


def lines(cost: Cost) -> list[tuple[str, str, str]]:
    """Return dimension, quantity and amount without VAT of each line, as the contract writes them."""
    written: Any = cost_json(cost)["lines"]
    return [(line["dimension"], line["quantity"], line["excl_vat"]) for line in written]
