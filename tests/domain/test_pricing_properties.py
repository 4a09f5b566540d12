"""What is true of every tariff and every session."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evcharge.domain.pricing import Segment, SegmentKind, Usage, cost_json
from evcharge.domain.quantities import DAY_US
from evcharge.domain.tariff import Bound, Tariff
from tests.domain import pricing_oracle as oracle
from tests.domain.costs import cost, exact
from tests.domain.pricing_strategies import STARTS, tariffs, usages

HOUR_US = 3_600_000_000


def has_substance(usage: Usage) -> bool:
    """Whether each part of a session has time or energy, so that what is empty changes nothing."""
    parts: dict[bool, bool] = {}
    for each in usage.segments:
        part = each.kind.is_reservation
        parts[part] = parts.get(part, False) or bool(each.duration_us or each.energy_uwh)
    return all(parts.values())


def without_nothing(usage: Usage) -> Usage:
    kept = tuple(each for each in usage.segments if each.duration_us or each.energy_uwh)
    return usage._replace(segments=kept)


@settings(max_examples=300, deadline=None)
@given(tariff=tariffs, usage=usages())
def test_the_cost_is_what_the_rules_say_minute_by_minute(tariff: Tariff, usage: Usage) -> None:
    assume(has_substance(usage))
    assert exact(cost(tariff, usage)) == oracle.totals(tariff, without_nothing(usage))


@settings(max_examples=200, deadline=None)
@given(tariff=tariffs, usage=usages(), share=st.fractions(0, 1), data=st.data())
def test_a_segment_cut_in_two_changes_nothing(
    tariff: Tariff, usage: Usage, share: Fraction, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(usage.segments) - 1))
    before, segment, after = (
        usage.segments[:place],
        usage.segments[place],
        usage.segments[place + 1 :],
    )
    cut = usage._replace(segments=(*before, *oracle.cut(segment, share), *after))
    assert cost_json(cost(tariff, cut)) == cost_json(cost(tariff, usage))


@given(tariff=tariffs, usage=usages(), data=st.data())
def test_a_segment_of_nothing_changes_nothing(
    tariff: Tariff, usage: Usage, data: st.DataObject
) -> None:
    assume(has_substance(usage))
    place = data.draw(st.integers(0, len(usage.segments) - 1))
    nothing = Segment(usage.segments[place].kind, 0, 0, 5_000_000, 5_000_000)
    longer = (*usage.segments[:place], nothing, *usage.segments[place:])
    assert cost(tariff, usage._replace(segments=longer)) == cost(tariff, usage)


@st.composite
def sessions_up_to_an_hour(draw: st.DrawFn) -> tuple[Tariff, Usage, int, int]:
    """Draw a tariff that changes on an hour, a session that delivers energy in the instant at which it
    then ends, and two offsets of local time: with the first that instant is midnight in UTC.

    The start of the session is in local time.
    """
    usage, terms, hour = draw(usages()), draw(tariffs), draw(st.integers(0, 23))
    first, *others = terms.elements
    rules = first.restrictions._replace(start_s=hour * 3600, end_s=hour * 3600 + 1800)
    terms = terms._replace(elements=(first._replace(restrictions=rules), *others))
    instant = Segment(SegmentKind.TIME, 0, draw(st.integers(1, 9)) * 10**9)
    day_us = draw(st.sampled_from(STARTS)) // DAY_US * DAY_US
    ends_us = day_us + draw(st.integers(-1, 1)) * DAY_US + hour * HOUR_US
    lasts_us = sum(int(each.duration_us) for each in usage.segments)
    session = Usage(ends_us - lasts_us, usage.zone, (*usage.segments, instant))
    return terms, session, hour if hour <= 14 else hour - 24, draw(st.integers(-12, 14))


@settings(max_examples=300, deadline=None)
@given(drawn=sessions_up_to_an_hour())
def test_where_midnight_utc_lies_changes_nothing(drawn: tuple[Tariff, Usage, int, int]) -> None:
    terms, local, at_midnight, elsewhere = drawn
    found = []
    for offset in (at_midnight, elsewhere):
        zone = ZoneInfo(f"Etc/GMT{-offset:+}")  # its sign is that of ISO 8601 turned
        usage = Usage(local.started_us - offset * HOUR_US, zone, local.segments)
        found.append(cost(terms, usage)._replace(as_of_us=0))
        if has_substance(usage):
            assert exact(found[-1]) == oracle.totals(terms, without_nothing(usage))
    assert found[0] == found[1]


cents = st.decimals(0, 5, places=2)


@given(tariff=tariffs, usage=usages(), low=cents, more=cents, low_vat=cents, more_vat=cents)
def test_the_lines_add_up_to_totals_within_both_bounds(
    tariff: Tariff, usage: Usage, low: Decimal, more: Decimal, low_vat: Decimal, more_vat: Decimal
) -> None:
    floor = Bound(low, low + low_vat)
    ceiling = Bound(low + more, low + more + low_vat + more_vat)
    found = cost(tariff._replace(min_price=floor, max_price=ceiling), usage)
    excl, incl = exact(found)
    assert low <= excl <= low + more
    assert low + low_vat <= incl <= low + more + low_vat + more_vat
    assert sum(row.base for row in found.vat) == excl * found.scale
    assert sum(row.base + row.amount for row in found.vat) == incl * found.scale
    for total, minor_units in ((excl, found.excl_vat), (incl, found.incl_vat)):
        assert minor_units - Fraction(1, 2) <= total * 100 < minor_units + Fraction(1, 2)


@given(tariff=tariffs, usage=usages(), low=cents, more=cents)
def test_a_bound_without_vat_keeps_the_mean_rate(
    tariff: Tariff, usage: Usage, low: Decimal, more: Decimal
) -> None:
    before, before_incl = exact(cost(tariff, usage))
    bounded = tariff._replace(min_price=Bound(low), max_price=Bound(low + more))
    excl, incl = exact(cost(bounded, usage))
    assert excl == min(max(before, Fraction(low)), Fraction(low + more))
    assert incl * before == before_incl * excl
    assert before or incl == excl


@given(tariff=tariffs, usage=usages())
def test_every_number_is_written_as_a_decimal_text(tariff: Tariff, usage: Usage) -> None:
    written: Any = json.loads(json.dumps(cost_json(cost(tariff, usage))))
    numbers = [written["excl_vat"], written["incl_vat"]]
    numbers += [row[name] for row in written["vat"] for name in ("percent", "base", "amount")]
    numbers += [
        line[name]
        for line in written["lines"]
        for name in ("quantity", "price", "vat_percent", "excl_vat", "incl_vat")
    ]
    for number in numbers:
        assert isinstance(number, str)
        assert "E" not in number.upper()
        assert f"{Decimal(number):f}" == number


@given(tariff=tariffs, usage=usages())
def test_what_is_for_reservations_costs_nothing_without_one(tariff: Tariff, usage: Usage) -> None:
    used = tuple(each for each in usage.segments if not each.kind.is_reservation)
    others = tuple(each for each in tariff.elements if each.restrictions.reservation is None)
    assume(used and others)
    usage = usage._replace(segments=used)
    assert exact(cost(tariff, usage)) == exact(cost(tariff._replace(elements=others), usage))
