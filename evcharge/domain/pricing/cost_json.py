"""The contract's JSON form of a Cost: every number a decimal text."""

from __future__ import annotations

from functools import lru_cache
from math import gcd
from typing import NamedTuple

from evcharge.domain.pricing.cost import Cost, Line
from evcharge.domain.quantities import format_timestamp, recent_timestamp

_DECIMALS = 12
_TWELVE = 10**_DECIMALS


def cost_json(cost: Cost) -> dict[str, object]:
    """Return the object; equal costs give equal objects, member by member in the contract's order."""
    in_currency = _factors(cost.scale)
    version = cost.tariff_version
    return {
        "currency": cost.currency,
        "excl_vat": money_text(cost.excl_vat, cost.minor),
        "incl_vat": money_text(cost.incl_vat, cost.minor),
        "vat": [
            {
                "percent": percent,
                "base": _text(base, in_currency),
                "amount": _text(amount, in_currency),
            }
            for percent, base, amount in cost.vat
        ],
        "tariff_id": cost.tariff_id,
        "tariff_version": None if version is None else str(version),
        "as_of": format_timestamp(cost.as_of_us),
        "lines": [
            {
                "dimension": dimension,
                "quantity": _text(quantity, _factors(per_unit)),
                "unit": unit,
                "price": price,
                "vat_percent": vat_percent,
                "excl_vat": _text(excl_vat, in_currency),
                "incl_vat": _text(incl_vat, in_currency),
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


def cost_text(cost: Cost) -> str:
    """Return the JSON text of :func:`cost_json`, without white space, in half the time."""
    in_currency = _factors(cost.scale)
    vat = ",".join(
        [
            f'{{"percent":{_quoted(percent)},"base":"{_text(base, in_currency)}",'
            f'"amount":"{_text(amount, in_currency)}"}}'
            for percent, base, amount in cost.vat
        ]
    )
    lines = ",".join([_line_text(line, in_currency) for line in cost.lines])
    version = "null" if cost.tariff_version is None else f'"{cost.tariff_version}"'
    # Names, ids and decimals have no character that JSON would escape.
    return (
        f'{{"currency":"{cost.currency}","excl_vat":"{money_text(cost.excl_vat, cost.minor)}",'
        f'"incl_vat":"{money_text(cost.incl_vat, cost.minor)}","vat":[{vat}],'
        f'"tariff_id":"{cost.tariff_id}","tariff_version":{version},'
        f'"as_of":"{recent_timestamp(cost.as_of_us)}","lines":[{lines}]}}'
    )


def _line_text(line: Line, in_currency: _Factors) -> str:
    dimension, unit, quantity, per_unit, price, vat_percent, excl_vat, incl_vat = line
    return (
        f'{{"dimension":"{dimension}","quantity":"{_text(quantity, _factors(per_unit))}",'
        f'"unit":"{unit}","price":"{price}","vat_percent":{_quoted(vat_percent)},'
        f'"excl_vat":"{_text(excl_vat, in_currency)}","incl_vat":"{_text(incl_vat, in_currency)}"}}'
    )


def _quoted(text: str | None) -> str:
    return "null" if text is None else f'"{text}"'


def money_text(minor_units: int, minor: int) -> str:
    """Return an amount with all of its minor digits: ``5.00``, of a currency without any ``5``."""
    if not minor:
        return str(minor_units)
    digits = str(abs(minor_units)).zfill(minor + 1)
    return f"{'-' if minor_units < 0 else ''}{digits[:-minor]}.{digits[-minor:]}"


def number_text(numerator: int, denominator: int) -> str:
    """Return a fraction as a decimal: exactly if it ends, otherwise rounded half up to 12 decimals."""
    return _text(numerator, _factors(denominator))


class _Factors(NamedTuple):
    """How numerators become decimals, for one denominator."""

    multiplier: int
    divisor: int
    """With both, a numerator becomes 12 decimals."""
    endless: int
    """What has to cancel for a fraction to end: all but the twos and fives."""
    ending: int
    """The twos and fives."""


@lru_cache(maxsize=256)  # each tariff brings one, and each finer cut of a session
def _factors(denominator: int) -> _Factors:
    common = gcd(_TWELVE, denominator)
    # Fewer twos and fives than it has bits.
    digits = denominator.bit_length()
    ending = gcd(10**digits, denominator)
    return _Factors(_TWELVE // common, denominator // common, denominator // ending, ending)


def _text(numerator: int, factors: _Factors) -> str:
    multiplier, divisor, endless, ending = factors
    digits = _DECIMALS
    scaled, rest = divmod(abs(numerator) * multiplier, divisor)
    if rest and numerator % endless:
        scaled += 2 * rest >= divisor
    elif rest:
        # In lowest terms: what a session was cut at leaves thousands of digits in its denominators.
        ended = abs(numerator) // endless
        common = gcd(ended, ending)
        digits = (ending // common).bit_length()
        scaled = ended // common * (10**digits // (ending // common))
    if not scaled:
        return "0"
    text = str(scaled).zfill(digits + 1)
    text = f"{text[:-digits]}.{text[-digits:]}".rstrip("0").rstrip(".")
    return text if numerator > 0 else "-" + text
