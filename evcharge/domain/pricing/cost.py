"""The answer: lines that add up to the totals exactly, and VAT by rate."""

from __future__ import annotations

from typing import NamedTuple


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
    excl_vat: int
    """The total without VAT in minor units of the currency, rounded half up."""
    incl_vat: int
    """The total with VAT."""
