"""Builders of tariffs, as a person would tell them: hours of the day, minutes, kWh, euros."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

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
