"""What a session costs, and how a test reads it: exactly, or line by line as it is written."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from evcharge.domain.pricing import Cost, Plan, Usage, cost_json, price
from evcharge.domain.tariff import Tariff


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
