"""Amounts as an invoice prints them: whole minor units that add up, in every row and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from evcharge.domain.tariff import MINOR_UNITS


class PrintedVat(NamedTuple):
    """The VAT of one rate in minor units; ``base + vat == incl``."""

    percent: str | None
    base: int
    vat: int

    @property
    def incl(self) -> int:
        """With VAT."""
        return self.base + self.vat


class Printed(NamedTuple):
    """A Cost in minor units of its currency."""

    minor: int
    """Decimals of the currency."""
    excl: int
    incl: int
    lines: tuple[int, ...]
    """Without VAT, each; they add up to ``excl``."""
    vat: tuple[PrintedVat, ...]
    """Bases add up to ``excl``, VAT to ``incl - excl``."""

    @property
    def vat_total(self) -> int:
        """All VAT."""
        return self.incl - self.excl


def printed(cost: Mapping[str, Any]) -> Printed:
    """Return the amounts of a Cost, in the contract's JSON form, as they are printed.

    The two totals are what is owed, and stand. Exact parts (of lines, of VAT rows) are rounded down,
    and what then is missing from the total goes, one minor unit each, to those that lost most: no part
    is off by as much as a unit, and every column adds up. A credit note prints its invoice's amounts
    negated.
    """
    minor = MINOR_UNITS[cost["currency"]]
    unit: int = 10**minor
    totals = [int(Fraction(cost[name]) * unit) for name in ("excl_vat", "incl_vat")]
    sign = -1 if min(totals) < 0 else 1
    excl, incl = (sign * total for total in totals)
    lines = _shares(excl, [sign * unit * Fraction(each["excl_vat"]) for each in cost["lines"]])
    bases = _shares(excl, [sign * unit * Fraction(row["base"]) for row in cost["vat"]])
    vats = _shares(incl - excl, [sign * unit * Fraction(row["amount"]) for row in cost["vat"]])
    rows = tuple(
        PrintedVat(row["percent"], sign * base, sign * vat)
        for row, base, vat in zip(cost["vat"], bases, vats, strict=True)
    )
    return Printed(minor, sign * excl, sign * incl, tuple(sign * each for each in lines), rows)


def _shares(total: int, exact: Sequence[Fraction]) -> list[int]:
    """Return whole numbers that are close to exact ones and add up to a total."""
    if not exact:
        return []
    shares = [each.numerator // each.denominator for each in exact]
    by_loss = sorted(range(len(exact)), key=lambda place: (shares[place] - exact[place], place))
    for given in range(max(total - sum(shares), 0)):
        shares[by_loss[given % len(by_loss)]] += 1
    return shares
