"""The contract's JSON form of a Cost: every number a decimal text."""

from __future__ import annotations

from functools import lru_cache
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
                "percent": percent,
                "base": number_text(base, scale),
                "amount": number_text(amount, scale),
            }
            for percent, base, amount in cost.vat
        ],
        "tariff_id": cost.tariff_id,
        "tariff_version": cost.tariff_version,
        "as_of": format_timestamp(cost.as_of_us),
        "lines": [
            {
                "dimension": dimension,
                "quantity": number_text(quantity, per_unit),
                "unit": unit,
                "price": price,
                "vat_percent": vat_percent,
                "excl_vat": number_text(excl_vat, scale),
                "incl_vat": number_text(incl_vat, scale),
            }
            for (
                dimension,
                unit,
                quantity,
                per_unit,
                price,
                vat_percent,
                excl_vat,
                incl_vat,
            ) in cost.lines
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
    if not numerator:
        return "0"
    scaled, rest = divmod(abs(numerator) * _TWELVE, denominator)
    scale = _TWELVE
    if rest:
        endless, ending = _endless_part(denominator)
        if numerator % endless:
            scaled += 2 * rest >= denominator
        else:
            scale = ending
            scaled = abs(numerator) * ending // denominator
    return decimal_text(scaled if numerator > 0 else -scaled, scale)


@lru_cache(maxsize=256)  # those of a few tariffs
def _endless_part(denominator: int) -> tuple[int, int]:
    """Return what must cancel for a fraction to end, and the power of ten that makes it whole then.

    It ends where nothing but twos and fives is left: fewer of each than the denominator has bits.
    """
    ending = 10 ** denominator.bit_length()
    return denominator // gcd(denominator, ending), ending
