"""A tariff made ready for pricing: prices as integers, restrictions as bit masks over its elements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from evcharge.domain.pricing.bands import Bands
from evcharge.domain.pricing.calendar import Calendar
from evcharge.domain.pricing.usage import SegmentKind
from evcharge.domain.tariff import MINOR_UNITS, Bound, Component, Dimension, Element, Tariff
from evcharge.domain.tariff.restrictions import Reservation

KWH_WEIGHT = 18
HOUR_WEIGHT = 5
UNIT = 18_000_000_000
"""Parts of one kWh, hour or session: a micro-watt-hour is 18 of them, a microsecond 5."""

NOTHING = -1
"""In place of a component's number: the dimension costs nothing."""

Choice: TypeAlias = tuple[int, int, int, int]
"""What is charged at a moment: the numbers of the components of FLAT, ENERGY, TIME and PARKING_TIME."""

_MOST_CHOICES = 4096
"""A tariff of hundreds of elements has endless combinations; a usual one has a dozen."""

_COLUMNS = (Dimension.FLAT, Dimension.ENERGY, Dimension.TIME, Dimension.PARKING_TIME)


class Priced(NamedTuple):
    """A price component in integers."""

    line: str
    """The contract's dimension of its line."""
    unit: str
    per_unit: int
    """Its units of quantity in one kWh, hour or session."""
    excl_vat: int
    """What one of its units of quantity costs, in 1 / ``Plan.scale``."""
    incl_vat: int
    step: int
    """In its units of quantity."""
    price_text: str
    vat_text: str


class Limit(NamedTuple):
    """A bound of the total in 1 / ``Plan.price_scale``."""

    excl: int
    incl: int | None


class Chooser:
    """Which components count where a set of elements holds; remembered, for the sets are few."""

    def __init__(self, orders: Sequence[int], elements: Sequence[dict[Dimension, int]]) -> None:
        """``orders`` are the elements from which to choose, the first one first."""
        self.known: dict[int, Choice] = {}
        self._orders = orders
        self._elements = elements

    def choose(self, mask: int) -> Choice:
        """Return the first component of each dimension among the elements that hold."""
        holding = [self._elements[place] for place in self._orders if mask >> place & 1]
        first = [
            next((each[column] for each in holding if column in each), NOTHING)
            for column in _COLUMNS
        ]
        if len(self.known) == _MOST_CHOICES:
            self.known.clear()
        self.known[mask] = choice = (first[0], first[1], first[2], first[3])
        return choice


class Plan:
    """A tariff made ready. Making one takes about a millisecond; it is kept and serves any session."""

    def __init__(self, tariff: Tariff, version: int | None = None) -> None:
        """``version`` is the contract's ``tariff_version``; None: the tariff was never published."""
        elements = tariff.elements
        restrictions = [element.restrictions for element in elements]
        bounds = [bound for bound in (tariff.min_price, tariff.max_price) if bound is not None]
        components = [each for element in elements for each in element.components]
        self.tariff = tariff
        self.version = version
        self.minor = MINOR_UNITS[tariff.currency]
        self.price_scale = _scale(
            [component.price for component in components]
            + [bound.excl_vat for bound in bounds]
            + [bound.incl_vat for bound in bounds if bound.incl_vat is not None]
        )
        self._vat_scale = 100 * _scale(each.vat_percent or Decimal(0) for each in components)
        self.scale = self.price_scale * UNIT * self._vat_scale
        """Parts of one unit of the currency in which every whole quantity's amount is whole."""
        self.components = [
            self._priced(component, element)
            for element in elements
            for component in element.components
        ]
        self.choosers = _choosers(elements)
        self.min_price = self._limit(tariff.min_price)
        self.max_price = self._limit(tariff.max_price)
        self.power = Bands.of([each.power_mw for each in restrictions])
        self.current = Bands.of([each.current_ua for each in restrictions])
        self.energy = Bands.of([each.energy_uwh for each in restrictions])
        self.duration = Bands.of([each.duration_us for each in restrictions])
        self.restricts_power = bool(self.power.breaks or self.current.breaks)
        """Whether an element depends on power or current."""
        self.calendar = Calendar(restrictions)

    def _priced(self, component: Component, element: Element) -> Priced:
        vat = component.vat_percent or Decimal(0)
        line, unit, weight, per_unit, per_step = _MEASURES[component.dimension]
        if element.restrictions.reservation and component.dimension is Dimension.TIME:
            line = "RESERVATION"
        charged = weight * _scaled(component.price, self.price_scale)
        return Priced(
            line,
            unit,
            per_unit,
            charged * self._vat_scale,
            charged * (self._vat_scale + _scaled(vat, self._vat_scale // 100)),
            component.step_size * per_step,
            decimal_string(component.price),
            decimal_string(vat),
        )

    def _limit(self, bound: Bound | None) -> Limit | None:
        if bound is None:
            return None
        incl = None if bound.incl_vat is None else _scaled(bound.incl_vat, self.price_scale)
        return Limit(_scaled(bound.excl_vat, self.price_scale), incl)


_MEASURES = {
    Dimension.FLAT: ("FLAT", "session", UNIT, 1, 1),
    Dimension.ENERGY: ("ENERGY", "kWh", KWH_WEIGHT, 1_000_000_000, 1_000_000),
    Dimension.TIME: ("TIME", "h", HOUR_WEIGHT, 3_600_000_000, 1_000_000),
    Dimension.PARKING_TIME: ("PARKING_TIME", "h", HOUR_WEIGHT, 3_600_000_000, 1_000_000),
}
"""Line, unit, weight, units of quantity in one kWh, hour or session, and in one step."""


def _choosers(elements: Sequence[Element]) -> tuple[Chooser, ...]:
    """Return what a segment chooses from, and in which order, by its kind."""
    numbered: list[dict[Dimension, int]] = []
    number = 0
    places: dict[Reservation | None, list[int]] = {None: []} | {each: [] for each in Reservation}
    for place, element in enumerate(elements):
        numbered.append({})
        for component in element.components:
            numbered[-1].setdefault(component.dimension, number)
            number += 1
        places[element.restrictions.reservation].append(place)
    session = Chooser(places[None], numbered)
    used = Chooser(places[Reservation.RESERVATION], numbered)
    # What expires is a reservation too: its dimensions that RESERVATION_EXPIRES does not price.
    unused = Chooser(
        places[Reservation.RESERVATION_EXPIRES] + places[Reservation.RESERVATION], numbered
    )
    by_kind = {
        SegmentKind.TIME: session,
        SegmentKind.PARKING_TIME: session,
        SegmentKind.RESERVATION: used,
        SegmentKind.RESERVATION_EXPIRED: unused,
    }
    return tuple(by_kind[kind] for kind in SegmentKind)


def _scale(numbers: Iterable[Decimal]) -> int:
    """Return the smallest power of ten that makes all of them whole."""
    digits: int = max((_decimals(number) for number in numbers), default=0)
    return int(10**digits)


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int), "a tariff's numbers are finite"
    return max(-exponent, 0)


def _scaled(number: Decimal, scale: int) -> int:
    numerator, denominator = number.as_integer_ratio()
    return numerator * scale // denominator


def decimal_string(number: Decimal) -> str:
    """Return a finite decimal without exponent and without zeros at its end."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
