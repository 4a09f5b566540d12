"""Each restriction at its bounds: lower ones are within, upper ones are not, the unknown fails."""

from __future__ import annotations

import pytest

from evcharge.domain.tariff import Reservation
from tests.domain.costs import cost, exact, lines
from tests.domain.tariff_builders import element, energy, flat, parking, tariff, time
from tests.domain.usage_builders import parked, reserved, segment, usage

SLOW, MIDDLE, FAST = energy("1"), energy("10"), energy("100")


@pytest.mark.parametrize(
    ("kw", "price"),
    [
        (15.999999, 1),
        (16, 10),
        (31.999999, 10),
        (32, 100),
        (0, 1),
        (-5, 1),
        (None, 1000),
    ],
)
def test_power_is_within_from_its_minimum_to_below_its_maximum(
    kw: float | None, price: int
) -> None:
    terms = tariff(
        element(SLOW, kw=(None, 16)),
        element(MIDDLE, kw=(16, 32)),
        element(FAST, kw=(32, None)),
        element(energy("1000")),
    )
    assert exact(cost(terms, usage(segment(60, 1, kw=kw))))[0] == price


@pytest.mark.parametrize(("ampere", "price"), [(31.9, 1), (32, 10), (0, 1), (-6, 1), (None, 0)])
def test_current_is_within_likewise(ampere: float | None, price: int) -> None:
    terms = tariff(element(SLOW, ampere=(None, 32)), element(MIDDLE, ampere=(32, None)))
    assert exact(cost(terms, usage(segment(60, 1, ampere=ampere))))[0] == price


def test_a_minimum_power_below_zero_is_for_cars_that_feed_the_grid() -> None:
    terms = tariff(element(time("1"), kw=(-10, 0)), element(time("2")))
    assert exact(cost(terms, usage(segment(60, kw=-7))))[0] == 1
    assert exact(cost(terms, usage(segment(60, kw=0))))[0] == 2


def test_energy_is_cut_at_the_kwh_at_which_the_price_changes() -> None:
    terms = tariff(
        element(energy("0"), kwh=(None, 1)),
        element(energy("0.2"), kwh=(1, 10.5)),
        element(energy("0.3"), kwh=(10.5, None)),
    )
    session = usage(segment(10, 0.4), segment(10, 0.6), segment(10, 3), segment(90, 21))
    assert lines(cost(terms, session)) == [
        ("ENERGY", "1", "0"),
        ("ENERGY", "9.5", "1.9"),
        ("ENERGY", "14.5", "4.35"),
    ]


def test_time_changes_its_price_at_the_moment_of_a_kwh() -> None:
    # 3 kWh in 7 minutes: the first is full after 140 s.
    terms = tariff(element(time("36"), kwh=(None, 1)), element(time("72"), kwh=(1, None)))
    assert lines(cost(terms, usage(segment(7, 3)))) == [
        ("TIME", "0.038888888889", "1.4"),
        ("TIME", "0.077777777778", "5.6"),
    ]


def test_what_comes_behind_the_last_kwh_has_reached_it() -> None:
    terms = tariff(element(parking("1"), kwh=(10, None)), element(parking("5"), kwh=(None, 10)))
    assert exact(cost(terms, usage(segment(60, 10), parked(60))))[0] == 1
    assert exact(cost(terms, usage(segment(60, 9.999999999), parked(60))))[0] == 5


def test_a_bound_that_the_session_ends_on_is_not_reached_in_it() -> None:
    terms = tariff(element(flat("1"), kwh=(10, None)), element(flat("2"), minutes=(60, None)))
    assert lines(cost(terms, usage(segment(60, 10)))) == []
    assert lines(cost(terms, usage(segment(60, 10), parked(0)))) == []
    assert lines(cost(terms, usage(segment(60, 10.1)))) == [("FLAT", "1", "1")]
    assert lines(cost(terms, usage(segment(60.1, 10)))) == [("FLAT", "1", "2")]


def test_energy_delivered_in_no_time_is_cut_all_the_same() -> None:
    terms = tariff(element(energy("1"), kwh=(None, 2)), element(energy("3"), kwh=(2, None)))
    assert exact(cost(terms, usage(segment(0, 5))))[0] == 11


def test_duration_is_cut_to_the_second_and_its_minimum_is_within() -> None:
    terms = tariff(
        element(time("0"), minutes=(None, 30)),
        element(time("60"), minutes=(30, 45)),
        element(time("600"), minutes=(45, None)),
    )
    assert exact(cost(terms, usage(segment(30))))[0] == 0
    assert exact(cost(terms, usage(segment(20), segment(30))))[0] == 15 + 50


def test_duration_counts_from_the_end_of_the_reservation() -> None:
    terms = tariff(element(time("60"), minutes=(30, None)))
    assert exact(cost(terms, usage(reserved(25), segment(31))))[0] == 1
    assert exact(cost(terms, usage(reserved(25), reserved(10), segment(30))))[0] == 0


def test_during_a_reservation_the_session_has_no_duration_and_no_energy() -> None:
    kind = Reservation.RESERVATION
    for minutes, expected in (((0, None), 30), ((None, 1), 30), ((1, None), 0)):
        terms = tariff(element(time("60"), minutes=minutes, reservation=kind))
        assert exact(cost(terms, usage(reserved(30), segment(90))))[0] == expected
    terms = tariff(element(time("60"), kwh=(None, 1), reservation=kind))
    assert exact(cost(terms, usage(reserved(30))))[0] == 30


def test_a_reservation_is_cut_by_the_clock_as_well() -> None:
    kind = Reservation.RESERVATION
    terms = tariff(
        element(time("60"), end="10:00", reservation=kind),
        element(time("6"), start="10:00", reservation=kind),
    )
    assert exact(cost(terms, usage(reserved(60))))[0] == 33


def test_energy_and_clock_that_flip_at_the_same_moment() -> None:
    terms = tariff(
        element(energy("1"), end="10:00", kwh=(None, 5)),
        element(energy("10"), start="10:00", kwh=(5, None)),
        element(energy("100000")),
    )
    assert exact(cost(terms, usage(segment(60, 10))))[0] == 55


def test_the_first_element_in_the_list_wins_for_each_dimension_by_itself() -> None:
    terms = tariff(
        element(energy("1"), start="09:00", end="10:00"),
        element(energy("2"), time("6"), start="09:00", end="11:00"),
        element(energy("3"), time("60"), flat("7")),
    )
    session = usage(segment(120, 12))  # 09:30 to 11:30, 6 kWh an hour
    assert lines(cost(terms, session)) == [
        ("FLAT", "1", "7"),
        ("ENERGY", "3", "3"),
        ("TIME", "1.5", "9"),
        ("ENERGY", "6", "12"),
        ("ENERGY", "3", "9"),
        ("TIME", "0.5", "30"),
    ]


def test_where_no_element_holds_a_dimension_costs_nothing() -> None:
    terms = tariff(element(energy("1"), parking("1"), start="20:00", end="21:00"))
    assert lines(cost(terms, usage(segment(60, 10), parked(60)))) == []


def test_elements_of_a_reservation_are_for_it_alone() -> None:
    terms = tariff(
        element(flat("2"), time("6"), reservation=Reservation.RESERVATION),
        element(flat("4"), reservation=Reservation.RESERVATION_EXPIRES),
        element(flat("1"), time("60")),
    )
    assert exact(cost(terms, usage(segment(60))))[0] == 61
    assert exact(cost(terms, usage(reserved(60), segment(60))))[0] == 2 + 6 + 61
    assert exact(cost(terms, usage(reserved(60, expired=True))))[0] == 4 + 6
    assert exact(cost(terms, usage(reserved(60))))[0] == 2 + 6


def test_a_session_without_time_and_energy_still_begins() -> None:
    terms = tariff(element(flat("1"), energy("1", step=1000), time("1", step=60)))
    assert lines(cost(terms, usage(segment(0)))) == [("FLAT", "1", "1")]
    assert lines(cost(terms, usage(segment(0), parked(0)))) == [("FLAT", "1", "1")]
    assert lines(cost(terms, usage(reserved(5), segment(0)))) == [("FLAT", "1", "1")]


def test_a_session_of_nothing_takes_the_fee_that_holds_first() -> None:
    terms = tariff(element(flat("1"), kw=(1, 5)), element(flat("2"), kw=(5, None)))
    assert lines(cost(terms, usage(segment(0), segment(0, kw=2), segment(0, kw=9)))) == [
        ("FLAT", "1", "1")
    ]
    # What was nothing is of no account where there is something.
    assert lines(cost(terms, usage(segment(0, kw=2), segment(1, kw=9)))) == [("FLAT", "1", "2")]


def test_trickle_energy_while_parked_is_billed_as_energy() -> None:
    terms = tariff(element(energy("1"), time("100"), parking("10")))
    assert lines(cost(terms, usage(parked(60, 0.25)))) == [
        ("ENERGY", "0.25", "0.25"),
        ("PARKING_TIME", "1", "10"),
    ]


def test_a_pause_without_energy_is_charging_time_not_parking() -> None:
    terms = tariff(element(time("1"), parking("100")))
    assert exact(cost(terms, usage(segment(60, 5), segment(60, 0), segment(60, 5))))[0] == 3
