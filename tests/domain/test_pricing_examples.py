"""Worked examples of the OCPI 2.2.1 specification that `tests/cases` has not, with its errata."""

from __future__ import annotations

from fractions import Fraction

from evcharge.domain.tariff import Reservation
from tests.domain.costs import cost, exact, lines
from tests.domain.tariff_builders import bound, element, energy, flat, parking, tariff, time
from tests.domain.usage_builders import parked, reserved, segment, usage

PER_KWH = energy("0.25", vat="10")
START = flat("0.50", vat="20")
STEPS = (
    element(time("1.20", step=1800), parking("1.00", step=900), start="00:00", end="17:00"),
    element(time("2.40", step=900), parking("1.00", step=900), start="17:00", end="20:00"),
    element(time("2.40", step=900), start="20:00", end="00:00"),
)


def euros(excl: str, incl: str) -> tuple[Fraction, Fraction]:
    return Fraction(excl), Fraction(incl)


def test_above_the_minimum_price_the_minimum_changes_nothing() -> None:
    terms = tariff(element(PER_KWH), min_price=bound("0.50", "0.55"))
    assert exact(cost(terms, usage(segment(60, 20)))) == euros("5.00", "5.50")
    assert exact(cost(terms, usage(segment(60, 2)))) == euros("0.50", "0.55")


def test_50_kwh_cost_no_more_than_the_maximum_price() -> None:
    terms = tariff(element(START, PER_KWH), max_price=bound("10.00", "11.00"))
    assert exact(cost(terms, usage(segment(60, 50)))) == euros("10.00", "11.00")


def test_3_euros_an_hour_and_5_for_parking() -> None:
    terms = tariff(element(time("3.00", vat="10", step=60), parking("5.00", vat="20", step=300)))
    session = usage(segment(150), parked(42))
    assert exact(cost(terms, session)) == euros("11.25", "12.75")


def test_the_first_hour_of_parking_and_the_first_kwh_are_free() -> None:
    terms = tariff(
        element(energy("0.00"), kwh=(None, 1)),
        element(energy("0.20"), kwh=(1, None)),
        element(parking("0.00"), minutes=(None, 60)),
        element(parking("2.00", step=60), minutes=(60, 240)),
        element(parking("3.00", step=60), minutes=(240, None)),
    )
    # The example counts its 2.75 hours from the start: charging takes no time.
    assert exact(cost(terms, usage(segment(0, 20), parked(165)))) == euros("7.30", "7.30")


RESERVED = Reservation.RESERVATION
EXPIRED = Reservation.RESERVATION_EXPIRES


def test_a_reservation_with_a_fee_of_its_own() -> None:
    terms = tariff(
        element(flat("2.00", vat="20"), time("5.00", vat="20", step=300), reservation=RESERVED),
        element(START, PER_KWH),
    )
    assert exact(cost(terms, usage(reserved(13), segment(60, 20)))) == euros("8.75", "10.00")
    assert lines(cost(terms, usage(reserved(13), segment(60, 20)))) == [
        ("FLAT", "1", "0.5"),
        ("FLAT", "1", "2"),
        ("RESERVATION", "0.25", "1.25"),
        ("ENERGY", "20", "5"),
    ]


def test_an_expired_reservation_costs_its_fee_and_the_time_of_a_used_one() -> None:
    terms = tariff(
        element(flat("4.00", vat="20"), reservation=EXPIRED),
        element(time("2.00", vat="20", step=600), reservation=RESERVED),
        element(START, PER_KWH),
    )
    assert exact(cost(terms, usage(reserved(60, expired=True)))) == euros("6.00", "7.20")


def test_the_time_of_an_expired_reservation_has_its_own_price_wherever_it_stands() -> None:
    used = element(time("3.00", vat="20", step=600), reservation=RESERVED)
    unused = element(time("6.00", vat="20", step=600), reservation=EXPIRED)
    for terms in (
        tariff(unused, used, element(START, PER_KWH)),
        tariff(element(START, PER_KWH), used, unused),
    ):
        assert exact(cost(terms, usage(reserved(90, expired=True)))) == euros("9.00", "10.80")
        session = usage(reserved(22), segment(60, 20))
        assert exact(cost(terms, session)) == euros("7.00", "7.90")


def test_35_minutes_across_17_00_are_billed_as_45() -> None:
    session = usage(segment(35), at="2019-01-28T15:35:00Z")
    assert lines(cost(tariff(*STEPS), session)) == [
        ("TIME", "0.416666666667", "0.5"),
        ("TIME", "0.333333333333", "0.8"),
    ]


def test_parking_that_became_free_leaves_the_step_to_the_charging_before() -> None:
    session = usage(segment(10), parked(2), at="2019-01-28T18:55:00Z")
    assert exact(cost(tariff(*STEPS), session)) == euros("0.60", "0.60")


def test_half_an_hour_is_free_for_shoppers() -> None:
    terms = tariff(
        element(energy("0.00"), minutes=(0, 30)),
        element(energy("0.25"), minutes=(30, 60)),
        element(energy("0.40"), minutes=(60, None)),
    )
    assert exact(cost(terms, usage(segment(30, 5), segment(10, 1.2)))) == euros("0.30", "0.30")


def test_the_complex_tariff_on_a_saturday() -> None:
    weekdays, saturday, weekend = (0, 1, 2, 3, 4), (5,), (5, 6)
    terms = tariff(
        element(flat("2.50", vat="15")),
        element(time("1.00", vat="20", step=900), ampere=(None, 32)),
        element(time("2.00", vat="20", step=600), ampere=(32, None), weekdays=weekdays),
        element(time("1.25", vat="20", step=600), ampere=(32, None), weekdays=weekend),
        element(parking("5.00", vat="10", step=300), start="09:00", end="18:00", weekdays=weekdays),
        element(parking("6.00", vat="10", step=300), start="10:00", end="17:00", weekdays=saturday),
    )
    session = usage(segment(114, ampere=43), parked(71), at="2019-02-02T12:30:00Z")
    # Parking was billed last: the 114 minutes of charging are not rounded to 120.
    assert lines(cost(terms, session)) == [
        ("FLAT", "1", "2.5"),
        ("TIME", "1.9", "2.375"),
        ("PARKING_TIME", "1.25", "7.5"),
    ]
