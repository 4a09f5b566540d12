"""The contract's JSON form of a Cost: every number a decimal text."""

from __future__ import annotations

from math import gcd

from evcharge.domain.pricing.cost import Cost
from evcharge.domain.quantities import decimal_text, format_timestamp

_DECIMALS = 12
_TWELVE = 10**_DECIMALS


def cost_json(cost: Cost) -> dict[str, object]:
    """Return the object; equal costs give equal objects, member by member in the contract's order."""
    scale = cost.scale
    return {
        "currency": cost.currency,
        "excl_vat": money_text(cost.excl_vat, cost.minor),
        "incl_vat": money_text(cost.incl_vat, cost.minor),
        "vat": [
            {
                "percent": row.percent,
                "base": number_text(row.base, scale),
                "amount": number_text(row.amount, scale),
            }
            for row in cost.vat
        ],
        "tariff_id": cost.tariff_id,
        "tariff_version": cost.tariff_version,
        "as_of": format_timestamp(cost.as_of_us),
        "lines": [
            {
                "dimension": line.dimension,
                "quantity": number_text(line.quantity, line.per_unit),
                "unit": line.unit,
                "price": line.price,
                "vat_percent": line.vat_percent,
                "excl_vat": number_text(line.excl_vat, scale),
                "incl_vat": number_text(line.incl_vat, scale),
            }
            for line in cost.lines
        ],
    }


def money_text(minor_units: int, minor: int) -> str:
    """Return an amount with all of its minor digits: ``5.00``, of a currency without any ``5``."""
    if not minor:
        return str(minor_units)
    whole, fraction = divmod(abs(minor_units), 10**minor)
    return f"{'-' if minor_units < 0 else ''}{whole}.{fraction:0{minor}}"


def number_text(numerator: int, denominator: int) -> str:
    """Return a fraction as a decimal: exactly if it ends, otherwise rounded half up to 12 decimals."""
    scaled, rest = divmod(numerator * _TWELVE, denominator)
    if not rest:
        return decimal_text(scaled, _TWELVE)
    reduced = denominator // gcd(numerator, denominator)
    # It ends where nothing but twos and fives is in the denominator: fewer of each than it has bits.
    digits = reduced.bit_length()
    if pow(10, digits, reduced) == 0:
        return decimal_text(numerator * 10**digits // denominator, 10**digits)
    rounded = (2 * abs(numerator) * _TWELVE + denominator) // (2 * denominator)
    return decimal_text(rounded if numerator > 0 else -rounded, _TWELVE)
