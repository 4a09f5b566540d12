"""A tariff that cannot be computed is refused when it is loaded, with the path of the wrong field."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from evcharge.domain.tariff import Reservation, Tariff
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.tariffs import MAX_BYTES, TariffDocument, parse_tariff
from tests.domain.tariff_builders import bound, element, energy, flat, tariff

ENERGY: dict[str, Any] = {"type": "ENERGY", "price": 0.25, "vat": 10.0, "step_size": 1}
TARIFF: dict[str, Any] = {
    "id": "T1",
    "currency": "EUR",
    "last_updated": "2019-01-01T00:00:00Z",
    "elements": [{"price_components": [ENERGY]}],
}


def read(tariff: object) -> TariffDocument | Rejected:
    return parse_tariff((tariff if isinstance(tariff, str) else json.dumps(tariff)).encode())


def accepted(tariff: object) -> Tariff:
    outcome = read(tariff)
    assert isinstance(outcome, TariffDocument), outcome
    return outcome.tariff


def refused(tariff: object) -> Rejected:
    outcome = read(tariff)
    assert isinstance(outcome, Rejected), outcome
    return outcome


def with_component(**changes: Any) -> dict[str, Any]:
    return TARIFF | {"elements": [{"price_components": [ENERGY | changes]}]}


def with_restrictions(**restrictions: Any) -> dict[str, Any]:
    return TARIFF | {
        "elements": [
            {"price_components": [ENERGY]},
            {
                "price_components": [{"type": "FLAT", "price": 1}],
                "restrictions": restrictions,
            },
        ]
    }


def test_a_tariff_with_everything_in_it() -> None:
    restrictions = {
        "start_time": "22:00",
        "end_time": "00:00",
        "start_date": "1970-01-03",
        "end_date": "1970-01-11",
        "min_kwh": 1.5,
        "max_kwh": "20",
        "min_current": 6,
        "max_current": 32.5,
        "min_power": "-3.7",
        "max_power": 11,
        "min_duration": 60,
        "max_duration": 3600,
        "day_of_week": ["MONDAY", "SUNDAY"],
        "reservation": "RESERVATION_EXPIRES",
    }
    event = with_restrictions(**restrictions) | {
        "min_price": {"excl_vat": "0.50", "incl_vat": 0.55},
        "max_price": {"excl_vat": 10},
        "start_date_time": "2019-01-01T00:00:00",
        "end_date_time": "2019-07-01T00:00:00+02:00",
        "tax_included": "NO",
        "type": "REGULAR",
        "tariff_alt_text": [{"language": "en", "text": "anything"}],
    }
    assert accepted(event) == tariff(
        element(energy("0.25", vat="10")),
        element(
            flat("1"),
            start="22:00",
            end="00:00",
            dates=(2, 10),
            kwh=(1.5, 20),
            ampere=(6, 32.5),
            kw=(-3.7, 11),
            minutes=(1, 60),
            weekdays=(0, 6),
            reservation=Reservation.RESERVATION_EXPIRES,
        ),
        last_updated_us=1_546_300_800_000_000,
        min_price=bound("0.50", "0.55"),
        max_price=bound("10"),
        valid_from_us=1_546_300_800_000_000,
        valid_until_us=1_561_932_000_000_000,
    )


def test_a_number_is_read_from_its_text_to_the_last_digit() -> None:
    text = json.dumps(TARIFF).replace("0.25", "0.100000000000000000000000000001")
    (component,) = accepted(text).elements[0].components
    assert component.price == Decimal("0.100000000000000000000000000001")


@pytest.mark.parametrize(
    ("step_size", "step"), [(0, 1), (None, 1), (1, 1), ("300", 300), (300.0, 300)]
)
def test_a_step_of_nothing_is_one(step_size: object, step: int) -> None:
    (component,) = accepted(with_component(step_size=step_size)).elements[0].components
    assert component.step_size == step


def test_null_is_absent() -> None:
    nothing = dict.fromkeys(
        ["min_price", "max_price", "start_date_time", "end_date_time", "tax_included"]
    )
    assert accepted(TARIFF | nothing) == accepted(TARIFF)
    assert accepted(with_restrictions(start_time=None, day_of_week=[], max_kwh=None)) == accepted(
        with_restrictions()
    )


COMPONENT = "elements.0.price_components.0"
RESTRICTION = "elements.1.restrictions"


@pytest.mark.parametrize(
    ("tariff", "path"),
    [
        (with_component(type="PARKING"), f"{COMPONENT}.type should be 'FLAT', 'ENERGY'"),
        (
            with_component(price="0,25"),
            f"{COMPONENT}.price should be a number or the text of one, but",
        ),
        (with_component(price=-0.01), f"{COMPONENT}.price should be greater than or equal to 0"),
        (
            with_component(price=True),
            f"{COMPONENT}.price should be a number or the text of one, but it is true.",
        ),
        (with_component(price="NaN"), f"{COMPONENT}.price should be a number"),
        (with_component(price="1e999"), f"{COMPONENT}.price should be 0 or between"),
        (with_component(price="1e-31"), f"{COMPONENT}.price should be 0 or between"),
        (with_component(price=1e13), f"{COMPONENT}.price should be less than or equal"),
        (with_component(price="1" * 200), f"{COMPONENT}.price should be a number"),
        (with_component(price="1." + "0" * 31), f"{COMPONENT}.price should have at most 30"),
        (with_component(price=[]), f"{COMPONENT}.price should be a number"),
        (with_component(vat=-1), f"{COMPONENT}.vat should be"),
        (with_component(vat=101), f"{COMPONENT}.vat should be"),
        (with_component(step_size=-1), f"{COMPONENT}.step_size should be"),
        (with_component(step_size=0.5), f"{COMPONENT}.step_size should be a whole number"),
        (with_restrictions(start_time="24:00"), f"{RESTRICTION}.start_time should match"),
        (with_restrictions(start_time="9:00"), f"{RESTRICTION}.start_time should match"),
        (with_restrictions(end_time="09:00\n"), f"{RESTRICTION}.end_time should match"),
        (with_restrictions(end_time=900), f"{RESTRICTION}.end_time should be a valid string"),
        (
            with_restrictions(start_time="10:00", end_time="10:00"),
            f"{RESTRICTION}.end_time should differ from start_time, unless both are 00:00, but",
        ),
        (with_restrictions(start_date="2019-02-30"), f"{RESTRICTION}.start_date should be a date"),
        (with_restrictions(end_date="20190228"), f"{RESTRICTION}.end_date should match"),
        (with_restrictions(min_kwh=-1), f"{RESTRICTION}.min_kwh should be"),
        (with_restrictions(max_power="fast"), f"{RESTRICTION}.max_power should be a number"),
        (with_restrictions(min_current={}), f"{RESTRICTION}.min_current should be a number"),
        (with_restrictions(max_duration=-5), f"{RESTRICTION}.max_duration should be"),
        (with_restrictions(day_of_week=["MONDAY", "Tue"]), f"{RESTRICTION}.day_of_week.1 should"),
        (
            with_restrictions(day_of_week="MONDAY"),
            f"{RESTRICTION}.day_of_week should be a valid list",
        ),
        (with_restrictions(reservation="YES"), f"{RESTRICTION}.reservation should be"),
        (
            TARIFF | {"elements": [{"price_components": []}]},
            "elements.0.price_components should have at least 1 item, not 0.",
        ),
        (
            TARIFF | {"min_price": {"excl_vat": 2, "incl_vat": "1.99"}},
            "min_price.incl_vat should not be below excl_vat: VAT comes on top of it, but it is '1.99'.",
        ),
        (
            TARIFF | {"max_price": {"excl_vat": 2, "incl_vat": 0}},
            "max_price.incl_vat should not be below",
        ),
        (
            TARIFF | {"last_updated": "2019"},
            "last_updated is '2019': expected an RFC 3339 timestamp such as",
        ),
        (
            TARIFF | {"elements": [{"price_components": [ENERGY, ENERGY]}]},
            "elements.0.price_components should have at most one price of each type.",
        ),
        (
            TARIFF
            | {
                "elements": [
                    {"price_components": [ENERGY], "restrictions": {"reservation": "RESERVATION"}}
                ]
            },
            "elements.0.price_components should be of type FLAT or TIME in a reservation.",
        ),
        (TARIFF | {"currency": "EURO"}, "currency should be the code of a currency of ISO 4217"),
        (TARIFF | {"currency": "XAU"}, "currency should be the code"),
        (TARIFF | {"tax_included": "YES"}, "tax_included should be NO"),
        (TARIFF | {"tax_included": "MAYBE"}, "tax_included should be 'NO'"),
        (TARIFF | {"min_price": 1}, "min_price should be"),
        (TARIFF | {"max_price": {"excl_vat": -1}}, "max_price.excl_vat should be"),
        (
            TARIFF | {"min_price": {"excl_vat": 2}, "max_price": {"excl_vat": 1}},
            "max_price.excl_vat should not be below",
        ),
        (
            TARIFF | {"start_date_time": "2019-01-01"},
            "start_date_time is '2019-01-01': expected an RFC 3339",
        ),
    ],
)
def test_a_wrong_field_is_told_with_its_path(tariff: object, path: str) -> None:
    outcome = refused(tariff)
    assert outcome.reason is Reason.BAD_VALUE
    assert outcome.detail.startswith(path)


@pytest.mark.parametrize(
    ("tariff", "path"),
    [
        (TARIFF | {"elements": [{}]}, "elements.0.price_components is missing."),
        (
            TARIFF | {"elements": [{"price_components": [{"type": "FLAT"}]}]},
            "elements.0.price_components.0.price is missing.",
        ),
        (TARIFF | {"min_price": {"incl_vat": 1}}, "min_price.excl_vat is missing."),
        (with_component(price=None), f"{COMPONENT}.price is null but required."),
    ],
)
def test_a_missing_field_is_told_with_its_path(tariff: object, path: str) -> None:
    assert refused(tariff) == Rejected(Reason.MISSING_FIELD, path)


@pytest.mark.parametrize(
    ("absurd", "why"),
    [
        ("1e" + "9" * 30, "should be 0 or between"),
        ("-1e-" + "9" * 30, "should be 0 or between"),
        ("0e" + "9" * 30, "should be 0 or between"),
        ("9" * 4000, "should be a number of at most 100 characters"),
    ],
)
def test_an_absurd_number_is_refused_where_it_counts_and_ignored_where_it_does_not(
    absurd: str, why: str
) -> None:
    text = json.dumps(TARIFF)
    assert accepted(text[:-1] + f', "x": {absurd}}}') == accepted(TARIFF)
    told = refused(text.replace("0.25", absurd)).detail
    assert told.startswith(f"{COMPONENT}.price {why}")


def test_a_number_is_no_text_and_a_text_of_one_is_a_number() -> None:
    assert refused(TARIFF | {"id": 5}).detail.startswith("id should be a valid string")
    assert accepted(with_component(price="0.25")) == accepted(TARIFF)


def test_a_validity_ends_before_its_last_instant() -> None:
    validity = {"start_date_time": "2019-01-01T00:00:00Z", "end_date_time": "2019-01-02T00:00:00Z"}
    tariff = accepted(TARIFF | validity)
    start, end = 1_546_300_800_000_000, 1_546_387_200_000_000
    assert [tariff.is_valid_at(at) for at in (start - 1, start, end - 1, end)] == [
        False,
        True,
        True,
        False,
    ]
    assert accepted(TARIFF).is_valid_at(0)


def of_bytes(size: int) -> str:
    """Return a tariff that has so many bytes without white space."""
    text = json.dumps(TARIFF | {"x": ""}, separators=(",", ":"))
    return text.replace('"x":""', f'"x":"{"y" * (size - len(text))}"')


def test_the_largest_tariff_is_taken_however_it_is_spaced() -> None:
    spaced = json.dumps(json.loads(of_bytes(MAX_BYTES)), indent=40)
    assert len(spaced) > MAX_BYTES
    assert accepted(spaced) == accepted(of_bytes(MAX_BYTES)) == accepted(TARIFF)


def test_a_larger_one_is_refused_for_its_bills_would_not_fit_a_record() -> None:
    told = "The tariff has 500,001 bytes without white space, more than 500,000."
    assert refused(of_bytes(MAX_BYTES + 1)) == Rejected(Reason.TOO_LARGE, told)
    assert refused(json.dumps(json.loads(of_bytes(MAX_BYTES + 1)), indent=40)).detail == told


def test_what_is_large_and_wrong_is_refused_for_what_is_wrong() -> None:
    assert refused(of_bytes(MAX_BYTES + 1)[:-1]).reason is Reason.NOT_JSON
