"""From billed quantities to a Cost: lines, minimum and maximum price, VAT by rate."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import lcm

from evcharge.domain.pricing.cost import Cost, Line, VatRow
from evcharge.domain.pricing.cost_json import number_text
from evcharge.domain.pricing.plan import Plan
from evcharge.domain.pricing.usage import Exact

_MINOR_UNITS = (1, 10, 100, 1_000, 10_000)
"""In one unit of a currency, by its decimals."""

_new = tuple.__new__


def bill(plan: Plan, quantities: dict[int, Exact], as_of_us: int) -> Cost:
    """Return what quantities cost, which are by number of the component, in its units."""
    # With it, fractions of a micro-watt-hour or microsecond are whole too.
    finer = lcm(*[quantity.denominator for quantity in quantities.values()])
    scale = plan.scale * finer
    lines = []
    for number, quantity in quantities.items():
        name, unit, per_unit, excl_vat, incl_vat, _, price, vat = plan.components[number]
        parts = quantity.numerator * (finer // quantity.denominator)
        lines.append(
            _new(
                Line,
                (
                    name,
                    unit,
                    parts,
                    per_unit * finer,
                    price,
                    vat,
                    parts * excl_vat,
                    parts * incl_vat,
                ),
            )
        )
    if plan.min_price or plan.max_price:
        lines, scale = _bounded(plan, lines, scale)
    excl = incl = 0
    for line in lines:
        excl += line[6]
        incl += line[7]
    return _new(
        Cost,
        (
            plan.tariff.currency,
            plan.minor,
            scale,
            tuple(lines),
            _vat(lines),
            plan.tariff.tariff_id,
            plan.version,
            as_of_us,
            in_minor_units(excl, scale, plan.minor),
            in_minor_units(incl, scale, plan.minor),
        ),
    )


def in_minor_units(amount: int, scale: int, minor: int) -> int:
    """Return an amount in 1 / ``scale`` of a currency in its minor units, rounded half up.

    ``minor`` is how many decimals the currency has. Negative amounts are rounded away from zero, so that
    a credit note is its invoice with the sign turned.
    """
    rounded = (2 * abs(amount) * _MINOR_UNITS[minor] + scale) // (2 * scale)
    return rounded if amount >= 0 else -rounded


def _bounded(plan: Plan, lines: list[Line], scale: int) -> tuple[list[Line], int]:
    """Add the lines that lift the totals to their minimum and cut them to their maximum."""
    lines = list(lines)
    for name, limit, is_minimum in (
        ("MIN_PRICE", plan.min_price, True),
        ("MAX_PRICE", plan.max_price, False),
    ):
        if limit is None:
            continue
        excl = sum(line.excl_vat for line in lines)
        incl = sum(line.incl_vat for line in lines)
        more = limit.excl * (scale // plan.price_scale) - excl
        more = max(more, 0) if is_minimum else min(more, 0)
        if limit.incl is not None:
            more_incl = limit.incl * (scale // plan.price_scale) - incl
            more_incl = max(more_incl, 0) if is_minimum else min(more_incl, 0)
        elif more and excl:
            # At the lines' mean rate, incl / excl: whole in parts that are finer by `excl`.
            lines = [
                line._replace(excl_vat=line.excl_vat * excl, incl_vat=line.incl_vat * excl)
                for line in lines
            ]
            scale, more, more_incl = scale * excl, more * excl, more * incl
        else:
            # Of lines that come to nothing no rate is known: no VAT.
            more_incl = more
        if more or more_incl:
            amount = number_text(more, scale)
            lines.append(
                Line(name, "session", 1, 1, amount, _percent(more, more_incl), more, more_incl)
            )
    return lines, scale


def _percent(excl: int, incl: int) -> str | None:
    """Return the rate that an adjustment amounts to: nearly always one that the tariff has."""
    vat = incl - excl
    return number_text(100 * vat if excl > 0 else -100 * vat, abs(excl)) if excl else None


def _vat(lines: Sequence[Line]) -> tuple[VatRow, ...]:
    """Return base and VAT by rate, the lowest rate first; what has no rate last."""
    rows: dict[str | None, tuple[int, int]] = {}
    for line in lines:
        percent, excl, incl = line[5:]
        if percent in rows:
            base, amount = rows[percent]
            rows[percent] = (base + excl, amount + incl - excl)
        else:
            rows[percent] = (excl, incl - excl)
    found = [_new(VatRow, (percent, *amounts)) for percent, amounts in rows.items()]
    if len(found) > 1:
        found.sort(key=_by_rate)
    return tuple(found)


def _by_rate(row: VatRow) -> tuple[bool, Decimal]:
    return row.percent is None, Decimal(row.percent or 0)
