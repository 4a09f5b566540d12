"""The worked examples of `tests/cases/tariff-cases.json`, each as it is given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evcharge.domain.pricing import Plan, Usage, cost_json, price
from evcharge.events.quoted_session import parse_quoted_session
from evcharge.events.tariffs import TariffDocument, parse_tariff
from tests.domain.worked_examples import CASES, assert_costs_what_it_says


def costed(case: dict[str, Any]) -> Any:
    tariff = parse_tariff(json.dumps(case["tariff"]).encode())
    usage = parse_quoted_session(json.dumps(case["session"]).encode())
    assert isinstance(tariff, TariffDocument), tariff
    assert isinstance(usage, Usage), usage
    return cost_json(price(Plan(tariff.tariff), usage))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_worked_example_costs_what_it_says(case: dict[str, Any]) -> None:
    assert_costs_what_it_says(costed(case), case["expected"])
