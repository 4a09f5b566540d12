"""A quote is the Cost of what was asked; what cannot be priced is told where it is wrong."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from evcharge.web import models
from evcharge.web.quotes import MAX_BODY
from tests.web.fake_worker import Answer, Data, group

ROOT = Path(__file__).resolve().parent.parent.parent
CASES: list[dict[str, Any]] = json.loads((ROOT / "tests/cases/tariff-cases.json").read_bytes())
QUESTION = {"tariff": CASES[0]["tariff"], "session": CASES[0]["session"]}


async def ask(body: object) -> Answer:
    async with group(Data()) as workers:
        return await (await workers.worker()).get("/v1/quotes", method="POST", body=body)


def changed(path: str, value: object) -> Any:
    """Return the question with another value somewhere in it."""
    question: Any = deepcopy(QUESTION)
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place = question
    for step in steps:
        place = place[step]
    place[last] = value
    return question


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
async def test_each_worked_example_is_quoted_to_the_cent(case: dict[str, Any]) -> None:
    answer = await ask({"tariff": case["tariff"], "session": case["session"]})
    assert answer.status == 200, answer.text
    models.Cost.model_validate(answer.json)
    expected = case["expected"]
    assert (answer.json["excl_vat"], answer.json["incl_vat"]) == (
        expected["excl_vat"],
        expected["incl_vat"],
    )


async def test_numbers_are_read_from_their_text() -> None:
    exact = json.dumps(changed("tariff.elements.0.price_components.0.price", 1)).replace(
        '"price": 1', '"price": 0.12345678901234567890123'
    )
    answer = await ask(exact.encode())
    assert answer.json["lines"][0]["price"] == "0.12345678901234567890123"


@pytest.mark.parametrize(
    ("question", "detail"),
    [
        (b"", "The value is empty."),
        (b"{", "The value is not JSON in UTF-8"),
        ([], "The value is an array, not a JSON object."),
        ({}, "tariff is missing."),
        ({"tariff": CASES[0]["tariff"]}, "session is missing."),
        (changed("tariff", None), "tariff is null but required."),
        (changed("tariff.currency", "XYZ"), "tariff.currency should be the code of a currency"),
        (
            changed("tariff.elements.0.price_components.0.price", "-1"),
            "tariff.elements.0.price_components.0.price should be greater than or equal to 0",
        ),
        (changed("session.time_zone", "Mars/Base"), "session.time_zone should be"),
        (changed("session.segments", []), "session.segments should have at least 1 item"),
        (changed("session.segments.0.duration_s", "1h"), "session.segments.0.duration_s should be"),
        (
            changed("tariff.end_date_time", "2001-01-01T00:00:00Z"),
            "tariff is not valid at 2019-01-28T08:30:00Z, when the session starts.",
        ),
    ],
)
async def test_what_cannot_be_priced_is_refused_with_the_path_of_what_is_wrong(
    question: object, detail: str
) -> None:
    answer = await ask(question)
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    models.Problem.model_validate(answer.json)
    assert answer.json["detail"].startswith(detail)


async def test_a_question_that_is_too_long_is_not_even_read() -> None:
    answer = await ask(b" " * (MAX_BODY + 1))
    assert answer.status == 413
    assert answer.json["detail"] == "The request should have at most 65,536 bytes."


async def test_what_would_take_too_long_is_refused() -> None:
    question = changed("session.segments.0.duration_s", 9 * 365 * 86_400)
    elements = [
        {
            "price_components": [{"type": "TIME", "price": 1}],
            "restrictions": {"start_time": f"00:{minute:02}", "end_time": f"01:{minute:02}"},
        }
        for minute in range(1, 30)
    ]
    question["tariff"]["elements"] = elements
    answer = await ask(question)
    assert answer.status == 400
    assert answer.json["detail"] == (
        "session.segments are too long for this tariff: its prices may change 193,874 times in them,"
        " and 20,000 are computed at most."
    )
    question["session"]["segments"][0]["duration_s"] = 86_400
    assert (await ask(question)).status == 200


async def test_it_can_only_be_posted() -> None:
    async with group(Data()) as workers:
        answer = await (await workers.worker()).get("/v1/quotes")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
