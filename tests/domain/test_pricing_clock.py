"""Local times of a tariff: instants go to local time, on ordinary days and on both nights of change."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from evcharge.domain.pricing import Segment
from tests.domain.costs import cost, exact, lines
from tests.domain.tariff_builders import element, energy, flat, tariff, time
from tests.domain.usage_builders import AMSTERDAM, parked, reserved, segment, usage

MON, TUE, FRI, SAT, SUN = 0, 1, 4, 5, 6
HOURLY = time("1")


def hours(
    start: str | None,
    end: str | None,
    *session: Segment,
    at: str,
    weekdays: tuple[int, ...] = (),
    zone: ZoneInfo = AMSTERDAM,
) -> Fraction:
    """Return how many hours of a session a price of 1 an hour applies to."""
    terms = tariff(element(HOURLY, start=start, end=end, weekdays=weekdays))
    return exact(cost(terms, usage(*session, at=at, zone=zone)))[0]


SPRING = "2023-03-25T23:00:00Z"
"""Midnight in Amsterdam; at 02:00 the clock goes forward."""
AUTUMN = "2023-10-28T22:00:00Z"
"""Midnight in Amsterdam; at 03:00 the clock goes back."""


@pytest.mark.parametrize(
    ("start", "end", "spring", "autumn"),
    [
        ("02:00", "03:00", 0, 2),
        ("00:00", "03:00", 2, 4),
        ("01:00", "04:00", 2, 4),
        ("03:00", "04:00", 1, 1),
        ("02:30", "04:00", 1, 2),  # in autumn 02:30-03:00, and after 02:00 again 02:30-04:00
        ("00:00", "02:30", 2, 3),
        ("01:59", "02:01", Fraction(1, 60), Fraction(3, 60)),
        ("22:00", "06:00", 5, 7),
        ("06:00", "22:00", 3, 1),
        ("00:00", "00:00", 8, 8),
        (None, "02:30", 2, 3),
        ("02:30", None, 6, 5),
    ],
)
def test_eight_hours_from_midnight_on_the_nights_of_change(
    start: str, end: str, spring: Fraction, autumn: Fraction
) -> None:
    for at, expected in ((SPRING, spring), (AUTUMN, autumn)):
        assert hours(start, end, segment(480), at=at) == expected


@pytest.mark.parametrize("at", [SPRING, AUTUMN])
def test_no_energy_is_billed_twice_or_dropped_when_the_clock_changes(at: str) -> None:
    terms = tariff(
        element(energy("0.10"), start="02:00", end="03:00"),
        element(energy("0.20"), start="03:00", end="02:00"),
    )
    found = lines(cost(terms, usage(segment(480, 8), at=at)))
    expected = {
        SPRING: [("ENERGY", "8", "1.6")],
        AUTUMN: [("ENERGY", "6", "1.2"), ("ENERGY", "2", "0.2")],
    }
    assert found == expected[at]


def test_summer_time_of_half_an_hour() -> None:
    # 2023-04-02 on Lord Howe: 02:00 +11 becomes 01:30 +10:30.
    zone = ZoneInfo("Australia/Lord_Howe")
    assert hours("01:30", "02:00", segment(240), at="2023-04-01T13:00:00Z", zone=zone) == 1


def test_a_clock_that_changes_in_the_middle_of_an_hour_of_utc() -> None:
    # 2023-11-05 in Newfoundland: 02:00 -02:30 becomes 01:00 -03:30, at 04:30 UTC.
    zone, at = ZoneInfo("America/St_Johns"), "2023-11-05T02:30:00Z"
    assert hours("01:00", "02:00", segment(240), at=at, zone=zone) == 2
    assert hours("02:00", "03:00", segment(240), at=at, zone=zone) == 1


def test_a_day_that_never_was() -> None:
    # Samoa had no 2011-12-30: after Thursday came Saturday.
    zone, at = ZoneInfo("Pacific/Apia"), "2011-12-30T08:00:00Z"
    assert hours(None, None, segment(240), at=at, zone=zone, weekdays=(FRI,)) == 0
    assert hours(None, None, segment(240), at=at, zone=zone, weekdays=(SAT,)) == 2


def test_a_session_over_three_days_has_three_nights() -> None:
    at = "2019-01-28T11:00:00Z"  # noon in Amsterdam
    assert hours("22:00", "06:00", segment(72 * 60), at=at) == 24
    assert hours("06:00", "22:00", segment(72 * 60), at=at) == 48


def test_a_time_that_wraps_midnight_has_the_day_of_its_moment() -> None:
    thursday_noon, two_days = "2019-01-31T11:00:00Z", segment(48 * 60)
    # Friday 00:00-06:00 and Friday 22:00-24:00, not Saturday 00:00-06:00.
    assert hours("22:00", "06:00", two_days, at=thursday_noon, weekdays=(FRI,)) == 8


def test_a_day_of_the_week_begins_at_the_local_midnight() -> None:
    # Sunday 23:30 in Amsterdam is 22:30 in UTC.
    assert hours(None, None, segment(60), at="2019-01-27T22:30:00Z", weekdays=(SUN,)) == Fraction(
        1, 2
    )
    assert hours(None, None, segment(60), at="2019-01-27T22:30:00Z", weekdays=(MON,)) == Fraction(
        1, 2
    )
    assert hours(None, None, segment(60), at="2019-01-27T22:30:00Z", weekdays=(TUE,)) == 0


def test_a_start_is_within_and_an_end_is_not() -> None:
    assert hours("09:30", "10:30", segment(60), at="2019-01-28T08:30:00Z") == 1
    assert hours("10:30", "11:30", segment(60), at="2019-01-28T08:30:00Z") == 0
    assert hours("08:30", "09:30", segment(60), at="2019-01-28T08:30:00Z") == 0


@pytest.mark.parametrize("utc_hour", range(24))
def test_energy_of_the_last_instant_has_the_price_that_begins_then_at_any_hour(
    utc_hour: int,
) -> None:
    for zone, offset in ((ZoneInfo("America/New_York"), -5), (ZoneInfo("UTC"), 0), (AMSTERDAM, 1)):
        hour = f"{(utc_hour + offset) % 24:02}"
        hour_before = f"2019-01-28T{(utc_hour - 1) % 24:02}:00:00Z"
        dear = element(energy("1"), start=f"{hour}:00", end=f"{hour}:30")
        terms = tariff(dear, element(energy("0.1")))
        in_an_instant = usage(segment(60, 5), segment(0, 1), at=hour_before, zone=zone)
        assert lines(cost(terms, in_an_instant)) == [("ENERGY", "5", "0.5"), ("ENERGY", "1", "1")]
        without = usage(segment(60, 5), segment(0), at=hour_before, zone=zone)
        assert lines(cost(terms, without)) == [("ENERGY", "5", "0.5")]


def test_a_date_and_a_day_of_the_week_hold_from_their_midnight_at_the_sessions_end() -> None:
    new_year = date(2019, 1, 1).toordinal() - date(1970, 1, 1).toordinal()  # a Tuesday
    for zone, an_hour_before in (
        (ZoneInfo("UTC"), "2018-12-31T23:00:00Z"),
        (AMSTERDAM, "2018-12-31T22:00:00Z"),
    ):
        session = usage(segment(60, 5), segment(0, 1), at=an_hour_before, zone=zone)
        for restricted in (
            element(energy("1"), flat("7"), time("9"), dates=(new_year, None)),
            element(energy("1"), flat("7"), time("9"), weekdays=(TUE,)),
        ):
            terms = tariff(restricted, element(energy("0.1"), time("0.6")))
            assert lines(cost(terms, session)) == [
                ("FLAT", "1", "7"),
                ("ENERGY", "5", "0.5"),
                ("TIME", "1", "0.6"),
                ("ENERGY", "1", "1"),
            ]


def test_a_session_of_no_time_has_the_prices_of_its_instant() -> None:
    terms = tariff(element(energy("1"), flat("7"), start="00:00", end="12:00"), element(flat("3")))
    midnight, before = "2019-01-28T00:00:00Z", "2019-01-27T23:59:59Z"
    utc = ZoneInfo("UTC")
    for session, fee in (
        (usage(segment(0), at=midnight, zone=utc), "7"),
        (usage(segment(0), at=before, zone=utc), "3"),
        (usage(reserved(60), segment(0), at="2019-01-27T23:00:00Z", zone=utc), "7"),
    ):
        assert lines(cost(terms, session)) == [("FLAT", "1", fee)]
    with_energy = usage(segment(0, 2), at=midnight, zone=utc)
    assert lines(cost(terms, with_energy)) == [("FLAT", "1", "7"), ("ENERGY", "2", "2")]


def test_the_moment_before_a_boundary_is_exact_to_the_microsecond() -> None:
    terms = tariff(
        element(energy("1"), start="09:30"),
        element(energy("100"), end="09:30"),
    )
    session = usage(segment(1 / 60, 1), at="2019-01-28T08:29:59.999999Z")
    assert lines(cost(terms, session))[0] == ("ENERGY", "0.000001", "0.0001")


def test_dates_are_local_and_the_end_date_is_not_within() -> None:
    new_year = date(2020, 1, 1).toordinal() - date(1970, 1, 1).toordinal()
    at = "2019-12-31T22:30:00Z"  # 23:30 in Amsterdam
    first, last = (new_year, None), (None, new_year)
    for dates, expected in ((first, 2), (last, Fraction(1, 2)), ((new_year, new_year), 0)):
        terms = tariff(element(HOURLY, dates=dates))
        assert exact(cost(terms, usage(segment(150), at=at)))[0] == expected


def test_the_29th_of_february_is_a_day_of_its_own() -> None:
    leap = date(2024, 2, 29).toordinal() - date(1970, 1, 1).toordinal()
    terms = tariff(element(HOURLY, dates=(leap, leap + 1)))
    assert exact(cost(terms, usage(segment(72 * 60), at="2024-02-28T11:00:00Z")))[0] == 24


def test_a_flat_fee_is_taken_at_the_first_moment_when_any_of_its_elements_holds() -> None:
    terms = tariff(
        element(flat("9"), start="10:00", end="11:00"),
        element(flat("3"), start="09:45", end="12:00"),
    )
    assert lines(cost(terms, usage(segment(60)))) == [("FLAT", "1", "3")]
    assert lines(cost(terms, usage(segment(10), parked(4)))) == []


def test_a_year_long_session_is_priced() -> None:
    at = "2018-12-31T23:00:00Z"
    year = segment(365 * 24 * 60)
    # The hour is missing in spring and there twice in autumn.
    assert hours("02:00", "03:00", year, at=at) == 365
    assert hours("12:00", "13:00", year, at=at) == 365


@pytest.mark.parametrize("name", ["America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:00:00Z"])
def test_local_times_are_known_up_to_both_ends_of_the_calendar(name: str, at: str) -> None:
    zone = ZoneInfo(name)
    halves = [
        hours(*half, segment(30), at=at, zone=zone)
        for half in (("00:00", "12:00"), ("12:00", "00:00"))
    ]
    assert sum(halves) == Fraction(1, 2)
