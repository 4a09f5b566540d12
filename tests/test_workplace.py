"""What `docs/workplace.md` says of real bills, recomputed from the data without the rules of pricing."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import pytest

from evcharge.documents.workplace import Compared, Difference, compared, difference

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "workplace"
PAGE = ROOT / "docs" / "workplace.md"
CENT = Decimal("0.01")

sessions = cache(compared)


def policy(lasted_s: int, *, up: bool = False) -> Decimal:
    """Free for four hours, then 1.00 USD an hour in steps of 5 minutes, at least 0.50."""
    beyond_s = lasted_s - 4 * 3600
    if beyond_s <= 0:
        return Decimal(0)
    steps = -(-beyond_s // 300) if up else beyond_s // 300
    return max((Decimal(steps) / 12).quantize(CENT, ROUND_HALF_UP), Decimal("0.50"))


def rows() -> list[tuple[int, Decimal]]:
    with (EXAMPLE / "sessions.csv").open(encoding="utf-8", newline="") as file:
        return [
            (
                int((_at(row["end_time"]) - _at(row["start_time"])).total_seconds()),
                Decimal(row["billed_usd"]),
            )
            for row in csv.DictReader(file)
        ]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(("tariff", "up"), [("tariff", False), ("tariff-steps-up", True)])
def test_the_tariff_is_the_policy_for_every_session(tariff: str, up: bool) -> None:
    expected = Counter(
        (lasted, policy(lasted, up=up) * 100, billed * 100) for lasted, billed in rows()
    )
    priced = Counter((each.lasted_s, each.priced[tariff], each.billed) for each in sessions())
    assert priced == expected


def test_3333_of_3395_bills_agree_to_the_cent() -> None:
    assert len(sessions()) == 3395
    assert sum(policy(lasted) == billed for lasted, billed in rows()) == 3333
    assert sum(each.priced["tariff"] == each.billed for each in sessions()) == 3333
    page = PAGE.read_text(encoding="utf-8")
    assert "| 3,333 (98.2%) |" in page
    assert "| 3,213 (94.6%) |" in page
    assert "| 197 (5.8%) |" in page


def test_with_min_price_every_session_pays_it() -> None:
    assert min(each.priced["tariff-min-price"] for each in sessions()) == 50
    assert sum(each.priced["tariff-min-price"] == each.billed for each in sessions()) == 197


def test_the_62_others_are_billed_for_another_time() -> None:
    others = [each for each in sessions() if each.priced["tariff"] != each.billed]
    assert Counter(difference(each)[0] for each in others) == {
        Difference.SECONDS_LESS: 19,
        Difference.THE_STEP_THAT_HAD_BEGUN: 18,
        Difference.MORE: 20,
        Difference.LESS: 5,
    }
    for each in others:
        # With that time, the policy comes to what was billed.
        kind, by_s = difference(each)
        sign = 1 if kind in {Difference.THE_STEP_THAT_HAD_BEGUN, Difference.MORE} else -1
        assert policy(each.lasted_s + sign * by_s) * 100 == each.billed


@pytest.mark.parametrize(
    ("lasted_s", "billed", "kind", "by_s"),
    [
        (14_400 + 2_100, 50, Difference.SECONDS_LESS, 1),
        (14_400 + 2_189, 50, Difference.SECONDS_LESS, 90),
        (14_400 + 2_190, 50, Difference.LESS, 91),
        (14_400 + 2_099, 58, Difference.THE_STEP_THAT_HAD_BEGUN, 1),
        (14_400 + 1_800, 58, Difference.THE_STEP_THAT_HAD_BEGUN, 300),
        (14_400 + 1_799, 58, Difference.MORE, 301),
    ],
)
def test_a_difference_is_told_by_time(
    lasted_s: int, billed: int, kind: Difference, by_s: int
) -> None:
    assert difference(Compared(lasted_s, billed, {})) == (kind, by_s)


def test_the_three_tariffs_are_told_apart_by_their_ids() -> None:
    ids = [json.loads(file.read_bytes())["id"] for file in EXAMPLE.glob("tariff*.json")]
    assert sorted(ids) == ["workplace", "workplace-min-price", "workplace-steps-up"]
