"""Whatever is published as a tariff or asked as a session: a value or a refusal, never an exception."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.domain.pricing import Plan, Usage, cost_json, price
from evcharge.events.quoted_session import parse_quoted_session
from evcharge.events.rejection import MAX_DETAIL, Rejected
from evcharge.events.tariffs import TariffDocument, parse_tariff

numbers = st.one_of(
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(0, 1000, places=4).map(str),
    st.sampled_from(
        ["1e999", "-1e-999", "1e9", "0e0", "-0", "+1", "\u0661", "1_000", ".5", "5.", ""]
    ),
    st.integers(0, 100),
)
anything = st.one_of(
    st.none(), st.booleans(), numbers, st.text(max_size=5), st.just([]), st.just({})
)


def often(good: object) -> st.SearchStrategy[Any]:
    """Draw a good value most of the time, so that depth is reached."""
    return st.one_of(st.just(good), st.just(good), st.just(good), anything)


components = st.fixed_dictionaries(
    {"type": st.sampled_from(["FLAT", "ENERGY", "TIME", "PARKING_TIME"]), "price": numbers},
    optional={"vat": numbers, "step_size": numbers, "other": anything},
)
restrictions = st.fixed_dictionaries(
    {},
    optional={
        "start_time": often("08:00"),
        "end_time": often("00:00"),
        "start_date": often("2019-01-28"),
        "end_date": often("2019-02-29"),
        "min_kwh": numbers,
        "max_power": numbers,
        "min_current": numbers,
        "max_duration": numbers,
        "day_of_week": often(["MONDAY"]),
    },
)
tariffs = st.fixed_dictionaries(
    {
        "id": often("T1"),
        "currency": often("JPY"),
        "last_updated": often("2019-01-01T00:00:00"),
        "elements": st.lists(
            st.fixed_dictionaries(
                {"price_components": st.lists(components, max_size=2)},
                optional={"restrictions": restrictions},
            ),
            max_size=2,
        ),
    },
    optional={
        "min_price": st.fixed_dictionaries({"excl_vat": numbers}),
        "max_price": st.fixed_dictionaries({"excl_vat": numbers, "incl_vat": numbers}),
        "end_date_time": often("2020-01-01T00:00:00Z"),
        "tax_included": often("NO"),
    },
)
sessions = st.fixed_dictionaries(
    {
        "started_at": often("2019-01-28T09:30:00+01:00"),
        "time_zone": often("Europe/Amsterdam"),
        "segments": st.lists(
            st.fixed_dictionaries(
                {"kind": often("TIME"), "duration_s": numbers},
                optional={"energy_kwh": numbers, "power_kw": numbers, "current_a": anything},
            ),
            max_size=3,
        ),
    }
)


@settings(max_examples=500, deadline=None)
@given(tariff=tariffs, session=sessions)
def test_what_is_accepted_can_be_priced_and_the_rest_is_told_in_a_sentence(
    tariff: object, session: object
) -> None:
    text = json.dumps(tariff).replace('"1e999"', "1e99999999999999999999")
    terms = parse_tariff(text.encode())
    usage = parse_quoted_session(json.dumps(session).encode())
    for outcome in (terms, usage):
        if isinstance(outcome, Rejected):
            assert 0 < len(outcome.detail) <= MAX_DETAIL
            assert "\n" not in outcome.detail
    if isinstance(terms, TariffDocument) and isinstance(usage, Usage):
        json.dumps(cost_json(price(Plan(terms.tariff), usage)))


@given(
    value=st.one_of(st.binary(max_size=50), anything.map(lambda each: json.dumps(each).encode()))
)
def test_bytes_of_any_kind_are_refused_without_an_exception(value: bytes) -> None:
    assert isinstance(parse_tariff(value), Rejected)
    assert isinstance(parse_quoted_session(value), Rejected)
