"""Hypothesis strategies: any tariff, any session, most of them near something that flips."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from evcharge.domain.pricing import Segment, SegmentKind, Usage
from evcharge.domain.quantities import parse_timestamp
from evcharge.domain.tariff import Component, Dimension, Element, Reservation, Restrictions, Tariff

MINUTE_US = 60_000_000

ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Amsterdam",
        "America/New_York",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",  # half an hour of summer time
        "Pacific/Apia",
        "UTC",
    )
]
STARTS = [
    parse_timestamp(text)
    for text in (
        "2023-03-25T22:00:00Z",  # the night without 02:00 to 03:00 in Amsterdam
        "2023-10-28T21:30:00Z",  # the night with two of them
        "2023-11-05T04:00:00Z",  # the same in New York
        "2023-04-01T13:00:00Z",  # Lord Howe goes back by half an hour
        "2011-12-30T08:00:00Z",  # Apia leaves out a day
        "2024-02-28T20:00:00Z",
        "2019-12-31T22:00:00Z",
    )
]

prices = st.decimals(0, 20, places=4).map(lambda price: Decimal(price).normalize())
rates = st.sampled_from([None, Decimal(0), Decimal("5.5"), Decimal(20), Decimal("20.0")])
steps = st.sampled_from([1, 60, 300, 900, 7, 100])


def ranges(scale: int) -> st.SearchStrategy[tuple[Fraction | None, Fraction | None]]:
    bound = st.one_of(st.none(), st.integers(0, 20).map(lambda each: Fraction(each * scale)))
    return st.tuples(bound, bound)


unrestricted = st.just((None, None))
clock = st.one_of(st.none(), st.integers(0, 24 * 60 - 1).map(lambda minute: minute * 60))


@st.composite
def restrictions(draw: st.DrawFn) -> Restrictions:
    start, end = draw(clock), draw(clock)
    if start == end:
        start = end = None
    day = draw(st.sampled_from([None, *(at // (1440 * MINUTE_US) for at in STARTS)]))
    return Restrictions(
        start,
        end or (86_400 if end is not None else None),
        None if day is None else day + draw(st.integers(-1, 1)),
        None if day is None else day + draw(st.integers(0, 2)),
        draw(st.one_of(unrestricted, ranges(10**9))),
        draw(st.one_of(unrestricted, ranges(10**6))),
        draw(st.one_of(unrestricted, ranges(10**6))),
        draw(st.one_of(unrestricted, ranges(20 * MINUTE_US))),
        frozenset(draw(st.one_of(st.just([]), st.lists(st.integers(0, 6), max_size=4)))),
    )


@st.composite
def elements(draw: st.DrawFn) -> Element:
    rules = draw(st.one_of(st.just(Restrictions()), restrictions()))
    reservation = draw(st.sampled_from([None, None, *Reservation]))
    dimensions = [Dimension.FLAT, Dimension.TIME] if reservation else list(Dimension)
    chosen = draw(st.lists(st.sampled_from(dimensions), min_size=1, max_size=3, unique=True))
    components = tuple(
        Component(dimension, draw(prices), draw(rates), draw(steps)) for dimension in chosen
    )
    return Element(components, rules._replace(reservation=reservation))


tariffs = st.lists(elements(), min_size=1, max_size=5).map(
    lambda found: Tariff("T1", "EUR", tuple(found))
)

_quantity = st.one_of(st.none(), st.integers(-2, 25).map(lambda each: each * 10**6))


@st.composite
def segments(draw: st.DrawFn, kinds: tuple[SegmentKind, ...]) -> Segment:
    kind = draw(st.sampled_from(kinds))
    minutes = draw(st.one_of(st.integers(0, 90), st.integers(0, 3)))
    energy = 0 if kind.is_reservation else draw(st.one_of(st.just(0), st.integers(0, 12 * 10**9)))
    return Segment(kind, minutes * MINUTE_US, energy, draw(_quantity), draw(_quantity))


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    reservation = draw(
        st.sampled_from([(), (SegmentKind.RESERVATION,), (SegmentKind.RESERVATION_EXPIRED,)])
    )
    before = draw(st.lists(segments(reservation), max_size=2)) if reservation else []
    charging = segments((SegmentKind.TIME, SegmentKind.PARKING_TIME))
    after = draw(st.lists(charging, min_size=0 if before else 1, max_size=5))
    start = draw(st.sampled_from(STARTS)) + draw(st.integers(0, 600)) * MINUTE_US
    return Usage(start, draw(st.sampled_from(ZONES)), (*before, *after))
