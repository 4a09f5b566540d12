"""Totals: rounded once, by currency; VAT by rate; minimum and maximum price; how numbers are written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evcharge.domain.pricing import Cost, Plan, VatRow, cost_json, price
from evcharge.domain.pricing.bill import in_minor_units
from evcharge.domain.pricing.cost_json import cost_text, money_text, number_text
from tests.domain.costs import cost, exact, lines
from tests.domain.tariff_builders import bound, element, energy, flat, parking, tariff, time
from tests.domain.usage_builders import parked, segment, usage

HOUR = usage(segment(60))


def written(found: Cost) -> Any:
    return cost_json(found)


@pytest.mark.parametrize(
    ("currency", "fee", "total"),
    [
        ("EUR", "5", "5.00"),
        ("EUR", "0.005", "0.01"),
        ("EUR", "0.00499999999999999999", "0.00"),
        ("EUR", "1.005", "1.01"),  # a float would be 1.00499999999999989…
        ("EUR", "2.665", "2.67"),
        ("JPY", "5", "5"),
        ("JPY", "0.5", "1"),
        ("JPY", "1234567.49", "1234567"),
        ("KWD", "5", "5.000"),
        ("KWD", "0.0005", "0.001"),
        ("CLF", "1.00005", "1.0001"),
        ("EUR", "0", "0.00"),
        ("KRW", "0", "0"),
    ],
)
def test_a_total_is_rounded_half_up_to_the_minor_unit_of_its_currency(
    currency: str, fee: str, total: str
) -> None:
    found = written(cost(tariff(element(flat(fee)), currency=currency), HOUR))
    assert (found["currency"], found["excl_vat"], found["incl_vat"]) == (currency, total, total)


def test_nothing_but_the_total_is_rounded() -> None:
    # Three prices of a third of a cent: rounded one by one they were nothing.
    session = usage(segment(20), parked(20), segment(0, 1))
    terms = tariff(element(time("0.01"), parking("0.01"), energy("0.00333333")))
    assert exact(cost(terms, session))[0] < 1
    assert cost(terms, session).excl_vat == 1


def test_a_fraction_that_does_not_end_is_written_with_12_decimals() -> None:
    found = written(cost(tariff(element(time("1", vat="20"))), usage(segment(20))))
    assert found["lines"][0] == {
        "dimension": "TIME",
        "quantity": "0.333333333333",
        "unit": "h",
        "price": "1",
        "vat_percent": "20",
        "excl_vat": "0.333333333333",
        "incl_vat": "0.4",
    }


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [
        (0, 7, "0"),
        (2, 3, "0.666666666667"),
        (-2, 3, "-0.666666666667"),
        (1, 3 * 10**13, "0"),
        (1, 8 * 10**12, "0.000000000000125"),
        (-1, 2**20, "-0.00000095367431640625"),
        (12 * 10**30, 6, "2000000000000000000000000000000"),
        (7, 7, "1"),
        (10**13 + 1, 3, "3333333333333.666666666667"),
        (6 * 5**9, 3 * 2 * 5**9 * 10**3, "0.001"),
    ],
)
def test_an_amount_that_ends_is_written_whole(numerator: int, denominator: int, text: str) -> None:
    assert number_text(numerator, denominator) == text


@pytest.mark.parametrize("factor", [3, 10])
def test_it_is_however_many_digits_the_denominator_has(factor: int) -> None:
    # as that of a session has that a tariff cuts at hundreds of energies
    common = factor**20_000
    assert number_text(-common, common << 14) == "-0.00006103515625"
    assert number_text(7 * common, 3 * common) == "2.333333333333"


@pytest.mark.parametrize(
    ("minor_units", "minor", "text"),
    [(500, 2, "5.00"), (-5, 2, "-0.05"), (-105, 2, "-1.05"), (5, 0, "5"), (-7, 3, "-0.007")],
)
def test_a_total_has_all_of_its_minor_digits(minor_units: int, minor: int, text: str) -> None:
    assert money_text(minor_units, minor) == text


def test_a_credit_note_is_the_invoice_with_its_sign_turned() -> None:
    assert in_minor_units(5, 1_000, 2) == 1
    assert in_minor_units(-5, 1_000, 2) == -1


def test_vat_has_a_row_for_each_rate_the_lowest_first() -> None:
    terms = tariff(
        element(flat("1", vat="20.0"), energy("1", vat="5.5"), time("1"), parking("1", vat="0"))
    )
    found = written(cost(terms, usage(segment(60, 2), parked(60))))
    assert found["vat"] == [
        {"percent": "0", "base": "2", "amount": "0"},
        {"percent": "5.5", "base": "2", "amount": "0.11"},
        {"percent": "20", "base": "1", "amount": "0.2"},
    ]
    assert (found["excl_vat"], found["incl_vat"]) == ("5.00", "5.31")


def test_a_minimum_price_adds_a_line_with_the_rate_that_its_amounts_have() -> None:
    terms = tariff(element(energy("0.25", vat="10")), min_price=bound("0.50", "0.55"))
    found = written(cost(terms, usage(segment(60, 1.2))))
    assert found["lines"][1] == {
        "dimension": "MIN_PRICE",
        "quantity": "1",
        "unit": "session",
        "price": "0.2",
        "vat_percent": "10",
        "excl_vat": "0.2",
        "incl_vat": "0.22",
    }
    assert found["vat"] == [{"percent": "10", "base": "0.5", "amount": "0.05"}]


def test_a_maximum_price_over_several_rates_has_a_row_of_its_own() -> None:
    terms = tariff(
        element(flat("0.50", vat="20"), energy("0.25", vat="10")), max_price=bound("10", "11")
    )
    found = written(cost(terms, usage(segment(60, 50))))
    assert [line["excl_vat"] for line in found["lines"]] == ["0.5", "12.5", "-3"]
    assert found["vat"] == [
        {"percent": "10", "base": "12.5", "amount": "1.25"},
        {"percent": "11.666666666667", "base": "-3", "amount": "-0.35"},
        {"percent": "20", "base": "0.5", "amount": "0.1"},
    ]
    assert (found["excl_vat"], found["incl_vat"]) == ("10.00", "11.00")


def test_each_amount_is_bounded_for_itself() -> None:
    terms = tariff(element(energy("1", vat="20")), min_price=bound("1.00", "1.30"))
    # 1.10 + 20 % is 1.32: above both.
    assert len(cost(terms, usage(segment(60, 1.1))).lines) == 1
    # 1.05 + 20 % is 1.26: only the amount with VAT is too low, so the line is VAT alone.
    found = cost(terms, usage(segment(60, 1.05)))
    assert [line.dimension for line in found.lines] == ["ENERGY", "MIN_PRICE"]
    assert (found.excl_vat, found.incl_vat) == (105, 130)
    assert found.vat[-1].percent is None


def test_a_bound_without_vat_takes_the_mean_rate_of_the_session() -> None:
    terms = tariff(
        element(flat("1", vat="20"), energy("1", vat="10")),
        min_price=bound("4"),
        max_price=bound("8"),
    )
    assert written(cost(terms, usage(segment(60, 1))))["incl_vat"] == "4.60"
    assert written(cost(terms, usage(segment(60, 3))))["incl_vat"] == "4.50"
    assert written(cost(terms, usage(segment(60, 9))))["incl_vat"] == "8.88"


def test_a_session_that_used_nothing_costs_the_minimum() -> None:
    terms = tariff(element(energy("1", vat="20")), min_price=bound("2", "2.40"))
    assert lines(cost(terms, usage(segment(0)))) == [("MIN_PRICE", "1", "2")]
    terms = tariff(element(energy("1", vat="20")), min_price=bound("2"))
    assert written(cost(terms, usage(segment(0))))["incl_vat"] == "2.00"


def test_a_free_session_has_no_rows_of_vat() -> None:
    found = cost(tariff(element(parking("1"))), HOUR)
    assert (found.lines, found.vat, found.excl_vat) == ((), (), 0)
    found = cost(tariff(element(flat("0.00"))), HOUR)
    assert found.vat == (VatRow("0", 0, 0),)


def test_huge_and_tiny_numbers_stay_exact() -> None:
    terms = tariff(
        element(energy("999999999999.999999999999999999999999999999"), time("0." + "0" * 29 + "1"))
    )
    found = written(cost(terms, usage(segment(60, 1_000_000_000))))
    assert [line["excl_vat"] for line in found["lines"]] == [
        "999999999999999999999.999999999999999999999",
        "0." + "0" * 29 + "1",
    ]
    assert found["excl_vat"] == "1000000000000000000000.00"


@pytest.mark.parametrize(("version", "told"), [(7, "7"), (0, "0"), (None, None)])
def test_the_version_of_the_tariff_and_the_end_of_the_session_are_told(
    version: int | None, told: str | None
) -> None:
    plan = Plan(tariff(element(flat("1"))), version)
    found = price(plan, usage(segment(1.5), parked(0.5)))
    assert (written(found)["tariff_id"], written(found)["tariff_version"]) == ("T1", told)
    assert written(found)["as_of"] == "2019-01-28T08:32:00Z"
    assert json.loads(cost_text(found)) == written(found)


def test_no_number_of_a_cost_is_a_json_number() -> None:
    plan = Plan(tariff(element(flat("1", vat="20")), min_price=bound("5")), 7)

    def numbers(member: Any) -> list[Any]:
        if isinstance(member, dict):
            return [each for value in member.values() for each in numbers(value)]
        if isinstance(member, list):
            return [each for value in member for each in numbers(value)]
        return [member] if isinstance(member, int | float) else []

    assert numbers(written(price(plan, usage(segment(1.5))))) == []
