"""The worked examples of `tests/cases/tariff-cases.json`, each as it is given."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evcharge.domain.pricing import Plan, Usage, cost_json, price
from evcharge.events.quoted_session import parse_quoted_session
from evcharge.events.tariffs import TariffDocument, parse_tariff

FILE = Path(__file__).resolve().parent.parent / "cases" / "tariff-cases.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_bytes())
NEAR = Decimal("1e-9")

BILLED = {
    "FLAT": ("FLAT", 1),
    "ENERGY_kwh": ("ENERGY", 1),
    "ENERGY_wh": ("ENERGY", 1000),
    "TIME_min": ("TIME", 60),
    "PARKING_TIME_min": ("PARKING_TIME", 60),
    "RESERVATION_min": ("RESERVATION", 60),
}
"""What a case calls a billed quantity: the dimension of its lines, and how many of it make a unit."""


def costed(case: dict[str, Any]) -> Any:
    tariff = parse_tariff(json.dumps(case["tariff"]).encode())
    usage = parse_quoted_session(json.dumps(case["session"]).encode())
    assert isinstance(tariff, TariffDocument), tariff
    assert isinstance(usage, Usage), usage
    return cost_json(price(Plan(tariff.tariff), usage))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_worked_example_costs_what_it_says(case: dict[str, Any]) -> None:
    cost, expected = costed(case), case["expected"]
    assert (cost["excl_vat"], cost["incl_vat"]) == (expected["excl_vat"], expected["incl_vat"])
    for name in ("excl_vat", "incl_vat"):
        total = sum(Decimal(line[name]) for line in cost["lines"])
        assert abs(total - Decimal(expected[f"exact_{name}"])) < NEAR
    for name, quantity in expected["billed"].items():
        dimension, scale = BILLED[name]
        billed = sum(
            Decimal(line["quantity"]) for line in cost["lines"] if line["dimension"] == dimension
        )
        assert abs(billed * scale - Decimal(quantity)) < NEAR * scale
