"""The tariff: elements in the order that decides, bounds of the total, validity."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from evcharge.domain.tariff.restrictions import Restrictions


class Dimension(Enum):
    """OCPI ``TariffDimensionType``: what a price is for."""

    FLAT = "FLAT"
    """Once."""
    ENERGY = "ENERGY"
    """Each kWh; steps of 1 Wh."""
    TIME = "TIME"
    """Each hour of charging, or of the reservation; steps of 1 s."""
    PARKING_TIME = "PARKING_TIME"
    """Each hour plugged in but not asking for power; steps of 1 s."""


class Component(NamedTuple):
    """OCPI ``PriceComponent``."""

    dimension: Dimension
    price: Decimal
    """For each unit, without VAT; not negative."""
    vat_percent: Decimal | None = None
    """None: no VAT."""
    step_size: int = 1
    """How many of the dimension's steps are billed as one; at least 1."""


class Element(NamedTuple):
    """OCPI ``TariffElement``: prices, and when they hold. At most one component for each dimension."""

    components: tuple[Component, ...]
    restrictions: Restrictions = Restrictions()


class Bound(NamedTuple):
    """OCPI ``Price`` of ``min_price`` and ``max_price``: both amounts bound, each for itself."""

    excl_vat: Decimal
    incl_vat: Decimal | None = None
    """None: what the bound without VAT comes to at the session's own mean rate."""


class Tariff(NamedTuple):
    """OCPI ``Tariff``, as far as it decides about money.

    In each dimension, the first element in the order of the list counts that has a component of it and
    holds at the moment. Where there is none, the dimension costs nothing.
    """

    tariff_id: str
    currency: str
    """A key of ``MINOR_UNITS``."""
    elements: tuple[Element, ...]
    last_updated_us: int = 0
    min_price: Bound | None = None
    max_price: Bound | None = None
    valid_from_us: int | None = None
    """The first instant."""
    valid_until_us: int | None = None
    """The instant behind the last."""

    def is_valid_at(self, instant_us: int) -> bool:
        """Whether a session that starts then can be priced with it; it is valid for all of it."""
        return (self.valid_from_us is None or self.valid_from_us <= instant_us) and (
            self.valid_until_us is None or instant_us < self.valid_until_us
        )
