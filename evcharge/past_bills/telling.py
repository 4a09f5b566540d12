"""What a re-rating found, for a person and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evcharge.domain.billing.rerate import Difference, Sums
from evcharge.domain.pricing.cost_json import money_text
from evcharge.domain.quantities import format_timestamp
from evcharge.domain.tariff import MINOR_UNITS
from evcharge.past_bills.period import Period
from evcharge.past_bills.rerating import Priced, Wish
from evcharge.verification.report import Report


def as_text(wish: Wish, priced: Priced) -> Iterator[str]:
    """Yield the lines of the report."""
    tariff, report = wish.tariff, priced.report
    yield f"sessions that started {wish.period}, under {tariff.plan.tariff.tariff_id} ({tariff.digest})"
    yield f"sessions: {report.sessions:,}, of which {report.changed:,} would be billed anew"
    if report.tariffs:
        billed = (f"{name} {count:,}" for name, count in sorted(report.tariffs.items()))
        yield f"billed under: {', '.join(billed)}"
    if priced.not_valid:
        yield f"left out: {priced.not_valid:,} sessions at whose start the tariff is not valid"
    if priced.forgotten:
        yield (
            f"left out: {priced.forgotten:,} sessions that were billed so long ago that workers have"
            " forgotten them"
        )
    if priced.not_billed:
        yield (
            f"not billed: {priced.not_billed:,} sessions that were completed while billing was switched"
            " off"
        )
    yield from _sums(report.billed)
    if report.nameless.sessions:
        yield f"without a user, so never invoiced: {report.nameless.sessions:,} sessions"
        yield from (f"  {line}" for line in _sums(report.nameless))
    if report.biggest:
        yield "the biggest differences:"
        yield from map(_difference, report.biggest)


def _sums(sums: Sums) -> Iterator[str]:
    for currency, old in sorted(sums.old.items()):
        yield f"old total: {_money(old, currency)} {currency} with VAT"
    for currency, new in sorted(sums.new.items()):
        yield f"new total: {_money(new, currency)} {currency} with VAT"
    for currency in sorted(sums.old.keys() & sums.new.keys()):
        change = sums.new[currency] - sums.old[currency]
        yield f"difference: {_signed(change, currency)} {currency}"


def _difference(found: Difference) -> str:
    old, new = _money(found.old, found.old_currency), _money(found.new, found.currency)
    name = f"  {found.session_id} of {found.station_id}:"
    if found.currency != found.old_currency:
        return f"{name} {old} {found.old_currency} -> {new} {found.currency}"
    change = _signed(found.new - found.old, found.currency)
    return f"{name} {old} -> {new} {found.currency} ({change})"


def _money(minor_units: int, currency: str) -> str:
    return money_text(minor_units, MINOR_UNITS[currency])


def _signed(minor_units: int, currency: str) -> str:
    return ("+" if minor_units >= 0 else "") + _money(minor_units, currency)


def as_json(wish: Wish, priced: Priced) -> dict[str, Any]:
    """Return the report as an object; amounts are decimal texts, with VAT."""
    report = priced.report
    return {
        "tariff_id": wish.tariff.plan.tariff.tariff_id,
        "tariff_digest": wish.tariff.digest,
        **_bounds(wish.period),
        "sessions": report.sessions,
        "changed": report.changed,
        "not_valid": priced.not_valid,
        "forgotten": priced.forgotten,
        "not_billed": priced.not_billed,
        "billed_under": report.tariffs,
        "totals": _totals(report.billed),
        "without_user": {
            "sessions": report.nameless.sessions,
            "totals": _totals(report.nameless),
        },
        "biggest": [
            {
                "station_id": each.station_id,
                "session_id": each.session_id,
                "old": _money(each.old, each.old_currency),
                "old_currency": each.old_currency,
                "new": _money(each.new, each.currency),
                "new_currency": each.currency,
            }
            for each in report.biggest
        ],
    }


def audit_json(period: Period, report: Report) -> dict[str, Any]:
    """Return what an audit found as an object; without differences all is as it has to be."""
    return _bounds(period) | report.as_json()


def _bounds(period: Period) -> dict[str, str | None]:
    since_us, until_us = period
    return {
        "from": None if since_us is None else format_timestamp(since_us),
        "to": None if until_us is None else format_timestamp(until_us),
    }


def _totals(sums: Sums) -> list[dict[str, str]]:
    return [
        {
            "currency": currency,
            "old": _money(sums.old.get(currency, 0), currency),
            "new": _money(sums.new.get(currency, 0), currency),
        }
        for currency in sorted(sums.old.keys() | sums.new.keys())
    ]
