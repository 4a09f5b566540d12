"""The worked examples of `tests/cases/tariff-cases.json`, and what a cost has to agree with."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

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


def assert_costs_what_it_says(cost: dict[str, Any], expected: dict[str, Any]) -> None:
    """Assert that totals agree to the cent, and exact sums and billed quantities within 1e-9."""
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
