"""Texts of instants and decimal numbers are read and written exactly."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evcharge.domain.quantities import (
    KW,
    KWH,
    MAX_INSTANT_US,
    MICRO,
    MIN_INSTANT_US,
    DecimalFloat,
    InexactError,
    TimestampError,
    ZoneMissingError,
    decimal_text,
    exact_units,
    format_timestamp,
    kw,
    kwh,
    parse_timestamp,
    units,
    units_of_all,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REPEATABLE = settings(print_blob=True, deadline=None)

JSON_NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
)


# -- timestamps


@pytest.mark.parametrize(
    ("text", "instant_us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2023-05-01T10:15:30Z", 1_682_936_130_000_000),
        ("2023-05-01T12:15:30+02:00", 1_682_936_130_000_000),
        ("2023-05-01T06:45:30-03:30", 1_682_936_130_000_000),
        ("2023-05-01T10:15:30-00:00", 1_682_936_130_000_000),
        ("2023-05-01t10:15:30z", 1_682_936_130_000_000),
        ("2023-05-01T10:15:30.5Z", 1_682_936_130_500_000),
        ("2023-05-01T10:15:30.000001Z", 1_682_936_130_000_001),
        ("2023-05-01T10:15:30.9999999999Z", 1_682_936_130_999_999),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
        ("0001-01-01T00:00:00Z", MIN_INSTANT_US),
        ("9999-12-31T23:59:59.999999Z", MAX_INSTANT_US),
    ],
)
def test_a_timestamp_is_the_instant_it_names(text: str, instant_us: int) -> None:
    assert parse_timestamp(text) == instant_us


@pytest.mark.parametrize(
    "text", ["2016-12-31T23:59:60Z", "2017-01-01T01:59:60.25+02:00", "2016-12-31T15:59:60-08:00"]
)
def test_a_leap_second_is_the_last_microsecond_of_its_day(text: str) -> None:
    assert format_timestamp(parse_timestamp(text)) == "2016-12-31T23:59:59.999999Z"


@pytest.mark.parametrize(
    "text",
    [
        "2023-05-01T10:15:30",
        "2023-05-01T10:15:30.123",
        "2023-05-01 10:15:30",
        "2023-05-01T10:15",
    ],
)
def test_a_time_without_an_offset_is_told_apart(text: str) -> None:
    with pytest.raises(ZoneMissingError, match="no offset"):
        parse_timestamp(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1682936130",
        "2023-05-01",
        "2023-05-01T10:15Z",
        "2023-05-01 10:15:30Z",
        "20230501T101530Z",
        "2023-W18-1T10:15:30Z",
        "2023-5-1T10:15:30Z",
        "2023-05-01T10:15:30.Z",
        "2023-05-01T10:15:30,5Z",
        "2023-05-01T10:15:30 Z",
        "2023-05-01T10:15:30Z\n",
        "2023-05-01T10:15:30+0200",
        "2023-05-01T10:15:30+24:00",
        "2023-05-01T10:15:30+02:60",
        "2023-05-01T24:00:00Z",
        "2023-05-01T10:60:00Z",
        "2023-05-01T10:15:60Z",
        "2016-12-31T23:59:60+01:00",
        "2023-05-01T10:15:61Z",
        "2023-02-29T10:15:30Z",
        "2023-13-01T10:15:30Z",
        "0000-01-01T00:00:00Z",
        "12023-05-01T10:15:30Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "٢٠٢٣-05-01T10:15:30Z",
    ],
)
def test_anything_else_is_no_timestamp(text: str) -> None:
    with pytest.raises(TimestampError) as raised:
        parse_timestamp(text)
    assert not isinstance(raised.value, ZoneMissingError)


@REPEATABLE
@given(st.integers(MIN_INSTANT_US, MAX_INSTANT_US))
@example(MIN_INSTANT_US)
@example(MAX_INSTANT_US)
@example(0)
def test_a_formatted_instant_parses_to_itself(instant_us: int) -> None:
    text = format_timestamp(instant_us)
    assert parse_timestamp(text) == instant_us
    assert datetime.fromisoformat(text) == EPOCH + timedelta(microseconds=instant_us)


@REPEATABLE
@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),  # noqa: DTZ001
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_an_offset_is_taken_away(local: datetime, offset_minutes: int) -> None:
    sign = "-" if offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(offset_minutes), 60)
    text = f"{local.isoformat()}{sign}{hours:02}:{minutes:02}"
    instant = local.replace(tzinfo=UTC) - timedelta(minutes=offset_minutes)
    assert parse_timestamp(text) == (instant - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("instant_us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_682_936_130_000_000, "2023-05-01T10:15:30Z"),
        (1_682_936_130_120_000, "2023-05-01T10:15:30.12Z"),
        (1_682_936_100_000_000, "2023-05-01T10:15:00Z"),
    ],
)
def test_a_fraction_is_written_only_as_far_as_it_is_not_zero(instant_us: int, text: str) -> None:
    assert format_timestamp(instant_us) == text


@pytest.mark.parametrize("instant_us", [MIN_INSTANT_US - 1, MAX_INSTANT_US + 1])
def test_an_instant_outside_the_years_1_to_9999_cannot_be_written(instant_us: int) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        format_timestamp(instant_us)


# -- numbers


def half_even(text: str, scale: int) -> int:
    """An independent reading of a decimal text."""
    return round(Fraction(Decimal(text)) * scale)


@REPEATABLE
@given(JSON_NUMBERS, st.sampled_from([KWH, KW, MICRO]))
@example("0.0000000005", KWH)  # ties
@example("0.0000000015", KWH)
@example("0.00000000050000000000000001", KWH)
@example("1125899.906842624", KWH)  # 2**50
@example("562949.9534213125", KWH)
@example("0.1", KWH)
@example("-0.0", KWH)
def test_a_float_gives_the_units_of_its_text_or_says_that_it_cannot(text: str, scale: int) -> None:
    try:
        found = units(float(text), scale)
    except InexactError:
        found = units(DecimalFloat(text), scale)
    assert found == half_even(text, scale)


@REPEATABLE
@given(st.decimals(0, 1_000_000, places=9), st.sampled_from([KWH, KW]))
def test_usual_numbers_need_no_second_look(number: Decimal, scale: int) -> None:
    if scale == KWH:
        assert units(float(number), scale) == int(number * KWH)
    else:
        assert exact_units(str(number), scale) == half_even(str(number), scale)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e300, 1125899.906842624])
def test_a_float_that_may_mean_several_numbers_of_units_is_inexact(number: float) -> None:
    with pytest.raises(InexactError):
        units(number, KWH)


@REPEATABLE
@given(st.lists(JSON_NUMBERS.map(DecimalFloat), max_size=5), st.sampled_from([KWH, KW, MICRO]))
@example([DecimalFloat("0.0000000005")], KWH)
@example([DecimalFloat("1125899.906842624")], KWH)
@example([DecimalFloat("-1125899.906842625")], KWH)
def test_many_numbers_give_the_units_of_each_or_none(
    numbers: list[DecimalFloat], scale: int
) -> None:
    try:
        found = units_of_all(numbers, scale)
    except InexactError:
        return
    assert found == [units(float(number), scale) for number in numbers]
    assert found == [units(number, scale) for number in numbers]


@REPEATABLE
@given(st.lists(st.decimals(-1_000_000, 1_000_000, places=9), max_size=600))
@example([Decimal("400883.123")] * 600)
@example([Decimal("-999999.999999999")] * 600)
def test_many_usual_numbers_need_no_second_look(numbers: list[Decimal]) -> None:
    assert units_of_all(list(map(float, numbers)), KWH) == [int(each * KWH) for each in numbers]


@pytest.mark.parametrize("number", [math.inf, -math.inf, 1e300, 1125899.906842624, 0.0000000002])
def test_one_number_that_may_be_inexact_is_enough_to_look_at_each(number: float) -> None:
    with pytest.raises(InexactError):
        units_of_all([1.0, number, 2.0], KWH)


@pytest.mark.parametrize("number", [None, 1, "1"])
def test_many_numbers_are_floats(number: Any) -> None:
    with pytest.raises(TypeError):
        units_of_all([1.0, number, 2.0], KWH)


def test_a_text_of_a_million_digits_is_read() -> None:
    assert exact_units("7." + "3" * 1_000_000, KWH) == 7_333_333_333


@pytest.mark.parametrize(
    ("energy_uwh", "text"),
    [
        (0, "0"),
        (22_500_000_000, "22.5"),
        (1, "0.000000001"),
        (-353_000_000, "-0.353"),
        (100 * KWH, "100"),
        (10**18, "1000000000"),
    ],
)
def test_an_energy_is_written_without_exponent_and_without_zeros_at_the_end(
    energy_uwh: int, text: str
) -> None:
    assert kwh(energy_uwh) == text


def test_a_power_is_written_in_kilowatts() -> None:
    assert kw(11_040_000) == "11.04"


@REPEATABLE
@given(st.integers(-(2**63), 2**63), st.sampled_from([1, 10, KW, KWH]))
def test_what_is_written_reads_back_the_same(amount: int, scale: int) -> None:
    assert exact_units(decimal_text(amount, scale), scale) == amount
