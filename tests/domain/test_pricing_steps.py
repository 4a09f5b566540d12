"""Steps: once for energy, once for the time that was billed last, once for the reservation."""

from __future__ import annotations

from fractions import Fraction

import pytest

from evcharge.domain.pricing import Segment
from evcharge.domain.tariff import Reservation
from tests.domain.costs import cost, exact, lines
from tests.domain.tariff_builders import element, energy, parking, tariff, time
from tests.domain.usage_builders import parked, reserved, segment, usage

BOTH = tariff(element(time("60", step=600), parking("60", step=900)))
"""A euro a minute; steps of 10 and 15 minutes."""


def minutes(*session: Segment) -> dict[str, Fraction]:
    """Return the billed minutes under `BOTH`."""
    return {
        line.dimension: Fraction(line.quantity * 60, line.per_unit)
        for line in cost(BOTH, usage(*session)).lines
    }


@pytest.mark.parametrize(
    ("session", "billed"),
    [
        ([segment(1)], {"TIME": 10}),
        ([segment(10)], {"TIME": 10}),
        ([segment(4), segment(7)], {"TIME": 20}),
        ([parked(16)], {"PARKING_TIME": 30}),
        ([segment(11), parked(1)], {"TIME": 11, "PARKING_TIME": 15}),
        ([parked(1), segment(11)], {"TIME": 20, "PARKING_TIME": 1}),
        ([segment(11), parked(1), segment(1)], {"TIME": 20, "PARKING_TIME": 1}),
        ([parked(10), segment(3), parked(10)], {"TIME": 3, "PARKING_TIME": 30}),
        ([segment(11), parked(0)], {"TIME": 20}),
        ([segment(1 / 60)], {"TIME": 10}),
    ],
)
def test_of_charging_and_parking_the_total_of_the_last_is_rounded(
    session: list[Segment], billed: dict[str, int]
) -> None:
    assert minutes(*session) == billed


def test_a_total_below_a_microsecond_above_the_step_is_another_step() -> None:
    session = usage(Segment(segment(1).kind, Fraction(1_800_000_001, 3)))
    assert cost(BOTH, session).incl_vat == 2000


def test_what_no_price_holds_for_is_not_billed_last() -> None:
    terms = tariff(
        element(time("60", step=600)),
        element(parking("60", step=900), minutes=(None, 5)),
    )
    # Parking begins at the 6th minute and is free.
    assert lines(cost(terms, usage(segment(6), parked(30)))) == [("TIME", "0.166666666667", "10")]


def test_the_step_and_price_of_the_last_period_count_for_the_total() -> None:
    terms = tariff(
        element(time("60", step=3600), minutes=(None, 5)),
        element(time("6", step=420), minutes=(5, None)),
    )
    assert lines(cost(terms, usage(segment(8)))) == [
        ("TIME", "0.083333333333", "5"),
        ("TIME", "0.15", "0.9"),
    ]


def test_a_price_that_comes_back_last_takes_the_step() -> None:
    terms = tariff(
        element(energy("1", step=1000), kw=(None, 10)),
        element(energy("2", step=700), kw=(10, None)),
    )
    session = usage(segment(10, 1.5, kw=5), segment(10, 2.1, kw=20), segment(10, 0.1, kw=5))
    assert lines(cost(terms, session)) == [("ENERGY", "1.9", "1.9"), ("ENERGY", "2.1", "4.2")]


def test_energy_is_rounded_once_by_the_last_price_that_was_used() -> None:
    terms = tariff(
        element(energy("1", step=1000), kw=(None, 10)),
        element(energy("2", step=500), kw=(10, None)),
    )
    drawn = segment(10, 1.2, kw=20)
    for session in ([drawn], [drawn, segment(10, 0, kw=5)], [drawn, segment(0, 0, kw=5)]):
        assert lines(cost(terms, usage(*session))) == [("ENERGY", "1.5", "3")]


def test_energy_and_time_have_their_steps_each() -> None:
    terms = tariff(element(energy("1", step=500), time("60", step=300)))
    assert lines(cost(terms, usage(segment(6, 1.1), parked(6, 0.1)))) == [
        ("ENERGY", "1.5", "1.5"),
        ("TIME", "0.166666666667", "10"),
    ]


def test_a_reservation_is_rounded_by_itself() -> None:
    terms = tariff(
        element(time("60", step=600), reservation=Reservation.RESERVATION),
        element(time("6", step=900)),
    )
    assert lines(cost(terms, usage(reserved(4), reserved(7), segment(16)))) == [
        ("RESERVATION", "0.333333333333", "20"),
        ("TIME", "0.5", "3"),
    ]


def test_nothing_is_rounded_up_to_nothing() -> None:
    terms = tariff(element(energy("1", step=1000), time("60", step=3600)))
    assert lines(cost(terms, usage(segment(60, 0)))) == [("TIME", "1", "60")]
    assert lines(cost(terms, usage(segment(0, 1)))) == [("ENERGY", "1", "1")]


def test_a_step_larger_than_any_session_is_billed_whole() -> None:
    terms = tariff(element(energy("1", step=10**9)))
    assert exact(cost(terms, usage(segment(1, 0.000000001))))[0] == 10**6


def test_the_smallest_step_of_time_is_a_second() -> None:
    terms = tariff(element(time("3600")))
    assert exact(cost(terms, usage(segment(1.001))))[0] == 61
