"""What a session costs from its records: the quick ways equal the plain one."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.domain.pricing import (
    Cost,
    Plan,
    cost_json,
    price,
    priced_session,
    session_cost,
    session_usage,
)
from evcharge.domain.pricing.cost_json import cost_text
from evcharge.domain.session import Limits, fold
from evcharge.domain.session.order import distinct, in_order
from evcharge.domain.session.told import told_as_meant
from evcharge.domain.session_record import SessionRecord
from evcharge.domain.tariff import Tariff
from tests.domain.costs import lines
from tests.domain.pricing_strategies import ZONES, tariffs
from tests.domain.session_records import LIMITS, correction, end, start, update
from tests.domain.strategies import arrivals, small_limits
from tests.domain.tariff_builders import element, energy, flat, parking, tariff, time
from tests.domain.usage_builders import AMSTERDAM


def quickly_and_plainly(
    terms: Tariff,
    records: Sequence[SessionRecord],
    zone: ZoneInfo = AMSTERDAM,
    limits: Limits = LIMITS,
) -> tuple[Cost | None, Cost | None]:
    ordered = in_order(distinct(records).values())
    state, plan = fold(ordered, limits), Plan(terms)
    usage = session_usage(state, ordered, zone, limits)
    plainly = None if usage is None else price(plan, usage)
    both = priced_session(plan, state, ordered, zone, limits, told_as_meant(state, ordered))
    assert both == (None if usage is None else (usage.segments, plainly))
    if plainly is not None:
        assert cost_text(plainly).encode() == msgspec.json.encode(cost_json(plainly))
    return session_cost(plan, state, ordered, zone, limits), plainly


@st.composite
def usual_sessions(draw: st.DrawFn) -> list[SessionRecord]:
    """Draw a session as devices are meant to tell it, by energy or by register."""
    by_register = draw(st.booleans())
    base = draw(st.sampled_from([0.0, 0.001, 100.0, 4000.0]))
    updates = draw(
        st.lists(
            st.tuples(
                st.integers(0, 45),
                st.sampled_from([0.0, 0.5, 3.0, 4.0, 300.0, 301.0]),
                st.sampled_from([None, 2, 5, 11]),
                st.sampled_from([None, None, 6, 16]),
                st.sampled_from([None, None, True, False]),
            ),
            max_size=8,
        )
    )
    at, so_far = 0, 0.0
    records = [start(0, meter=base if by_register else None)]
    for seq, (after, more, kilowatts, amperes, charging) in enumerate(updates):
        at, so_far = at + after, so_far + more
        reading = {"meter": base + so_far} if by_register else {"energy": so_far}
        records.append(
            update(
                at,
                **reading,
                seq=seq,
                power_mw=None if kilowatts is None else kilowatts * 10**6,
                current_ua=None if amperes is None else amperes * 10**6,
                charging=charging,
            )
        )
    if draw(st.booleans()):
        records.append(
            end(at + draw(st.integers(0, 45)), so_far + draw(st.sampled_from([0, 2.5])))
            if draw(st.booleans()) or not by_register
            else end(at + 1, meter=base + so_far + draw(st.sampled_from([0, 2.5, 301])))
        )
    return records


free = tariff(element(flat("0")))
simple = tariff(element(flat("1"), energy("0.30", vat="20", step=500), time("1", step=60)))
by_day = tariff(
    element(energy("0.50"), time("2"), start="08:00", end="12:30"), element(energy("0.30"))
)
some_tariffs = tariffs | st.sampled_from([free, simple, by_day])


@settings(max_examples=300, deadline=None)
@given(terms=some_tariffs, records=usual_sessions(), zone=st.sampled_from(ZONES))
def test_a_usual_session_costs_what_its_segments_cost(
    terms: Tariff, records: list[SessionRecord], zone: ZoneInfo
) -> None:
    quickly, plainly = quickly_and_plainly(terms, records, zone)
    assert plainly is not None
    assert quickly == plainly


@settings(max_examples=300, deadline=None)
@given(terms=some_tariffs, chunks=arrivals(), zone=st.sampled_from(ZONES), limits=small_limits)
def test_any_session_costs_what_its_segments_cost(
    terms: Tariff, chunks: list[list[SessionRecord]], zone: ZoneInfo, limits: Limits
) -> None:
    records = [record for chunk in chunks for record in chunk]
    quickly, plainly = quickly_and_plainly(terms, records, zone, limits)
    assert quickly == plainly


@pytest.mark.parametrize(
    ("records", "dimensions"),
    [
        ([start(0), update(10, 1.0), end(20, 2.0)], ["FLAT", "ENERGY", "TIME"]),
        ([start(0), update(10, 0.0), end(20, 2.0)], ["FLAT", "TIME", "ENERGY"]),
        ([start(0), end(20, 2.0)], ["FLAT", "ENERGY", "TIME"]),
        ([start(0), end(0, 2.0)], ["FLAT", "ENERGY"]),
        ([start(0), end(20, 0.0)], ["FLAT", "TIME"]),
        ([start(0)], ["FLAT"]),
        ([start(0), end(20, 2.0), correction(30, 0.0)], ["FLAT", "TIME"]),
    ],
)
def test_lines_stand_in_the_order_in_which_their_prices_were_first_used(
    records: list[SessionRecord], dimensions: list[str]
) -> None:
    quickly, plainly = quickly_and_plainly(simple, records)
    assert quickly is not None
    assert quickly == plainly
    assert [line[0] for line in lines(quickly)] == dimensions


def test_parking_is_told_apart_without_segments() -> None:
    terms = tariff(element(energy("1"), time("6"), parking("60")))
    records = [start(0), update(30, 5.0, charging=False), update(45, 5.0), end(60, 5.0)]
    quickly, _ = quickly_and_plainly(terms, records)
    assert quickly is not None
    assert lines(quickly) == [
        ("ENERGY", "5", "5"),
        ("TIME", "0.5", "3"),
        ("PARKING_TIME", "0.5", "30"),
    ]


@pytest.mark.parametrize("utc_hour", range(24))
@pytest.mark.parametrize(("name", "offset"), [("UTC", 0), ("Asia/Tokyo", 9), ("Etc/GMT+5", -5)])
def test_what_is_read_in_the_last_instant_has_the_price_that_begins_then_at_any_hour(
    utc_hour: int, name: str, offset: int
) -> None:
    hour = f"{(utc_hour + offset) % 24:02}"
    dear = element(energy("1"), start=f"{hour}:00", end=f"{hour}:30")
    terms = tariff(dear, element(energy("0.1")))
    last = 60 * utc_hour - 615.5  # minutes behind 10:15:30 UTC
    for records, expected in (
        ([update(last, 5.0), end(last, 15.0)], [("ENERGY", "5", "0.5"), ("ENERGY", "10", "10")]),
        ([update(last, 5.0)], [("ENERGY", "5", "0.5")]),
        ([end(last, 5.0)], [("ENERGY", "5", "0.5")]),
    ):
        quickly, plainly = quickly_and_plainly(
            terms, [start(last - 44.5), *records], ZoneInfo(name)
        )
        assert quickly is not None
        assert quickly == plainly
        assert lines(quickly) == expected


def test_without_a_start_a_session_costs_nothing_that_could_be_told() -> None:
    assert quickly_and_plainly(simple, [update(10, 1.0), end(20, 2.0)]) == (None, None)
    assert quickly_and_plainly(simple, [start(30), end(20, 2.0)]) == (None, None)
