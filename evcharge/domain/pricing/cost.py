"""The answer: lines that add up to the totals exactly, and VAT by rate."""

from __future__ import annotations

from typing import NamedTuple

_MINOR_UNITS = (1, 10, 100, 1_000, 10_000)
"""In one unit of a currency, by its decimals."""


class Line(NamedTuple):
    """What one price comes to. Amounts are in 1 / ``Cost.scale`` of the currency."""

    dimension: str
    unit: str
    """kWh, h or session."""
    quantity: int
    """Billed, after steps, in 1 / ``per_unit`` of the unit."""
    per_unit: int
    price: str
    """For each unit, without VAT: a decimal."""
    vat_percent: str | None
    """A decimal; "0" also where there is no VAT. None: an adjustment of the VAT alone."""
    excl_vat: int
    incl_vat: int


class VatRow(NamedTuple):
    """The VAT of one rate; its base is without VAT. Amounts are in 1 / ``Cost.scale``."""

    percent: str | None
    base: int
    amount: int


class Cost(NamedTuple):
    """What a session costs, running or final. Amounts are exact; the totals alone are rounded."""

    currency: str
    minor: int
    """Decimals of the currency."""
    scale: int
    """Parts of one unit of the currency."""
    lines: tuple[Line, ...]
    vat: tuple[VatRow, ...]
    """One for each rate, the lowest first; they add up to the lines."""
    tariff_id: str
    tariff_version: int | None
    as_of_us: int
    """The instant up to which the session was priced."""

    @property
    def excl_vat(self) -> int:
        """The total without VAT in minor units of the currency, rounded half up."""
        return self._minor_units(sum([line.excl_vat for line in self.lines]))

    @property
    def incl_vat(self) -> int:
        """The total with VAT in minor units of the currency, rounded half up."""
        return self._minor_units(sum([line.incl_vat for line in self.lines]))

    def _minor_units(self, amount: int) -> int:
        # Away from zero, so that a credit note is its invoice with the sign turned.
        twice = 2 * abs(amount) * _MINOR_UNITS[self.minor] + self.scale
        rounded = twice // (2 * self.scale)
        return rounded if amount >= 0 else -rounded
