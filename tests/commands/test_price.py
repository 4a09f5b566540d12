"""`price`, which needs no broker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from faust.cli.base import cli

import evcharge.commands.price  # noqa: F401 - registers the command
from evcharge.events.tariffs import MAX_BYTES
from tests.domain.worked_examples import CASES, assert_costs_what_it_says

ROOT = Path(__file__).resolve().parent.parent.parent
TARIFF, SESSION = CASES[0]["tariff"], CASES[0]["session"]


@pytest.fixture
def price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command in a directory of its own on two JSON values or texts."""
    monkeypatch.chdir(tmp_path)

    def run(tariff: object, session: object = SESSION) -> Result:
        for name, value in (("tariff.json", tariff), ("session.json", session)):
            text = value if isinstance(value, str) else json.dumps(value)
            Path(name).write_text(text, encoding="utf-8")
        return CliRunner().invoke(cli, ["price", "tariff.json", "session.json"])

    return run


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_each_worked_example_is_printed_with_its_exact_sums_and_quantities(
    price: Any, case: dict[str, Any]
) -> None:
    result = price(case["tariff"], case["session"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert_costs_what_it_says(json.loads(result.stdout), case["expected"])


def test_the_cost_has_the_form_of_the_contract_and_nothing_else_is_printed(price: Any) -> None:
    assert json.loads(price(TARIFF).stdout) == {
        "currency": "EUR",
        "excl_vat": "5.00",
        "incl_vat": "5.50",
        "vat": [{"percent": "10", "base": "5", "amount": "0.5"}],
        "tariff_id": "OCPI-01",
        "tariff_version": None,
        "as_of": "2019-01-28T09:30:00Z",
        "lines": [
            {
                "dimension": "ENERGY",
                "quantity": "20",
                "unit": "kWh",
                "price": "0.25",
                "vat_percent": "10",
                "excl_vat": "5",
                "incl_vat": "5.5",
            }
        ],
    }


def test_it_runs_as_a_program_from_anywhere_without_a_broker(tmp_path: Path) -> None:
    (tmp_path / "tariff.json").write_text(json.dumps(TARIFF))
    command = [sys.executable, "-m", "evcharge", "price", str(tmp_path / "tariff.json"), "-"]
    ran = subprocess.run(
        command, cwd=ROOT, input=json.dumps(SESSION), capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["incl_vat"] == "5.50"


def test_a_byte_order_mark_does_no_harm(price: Any) -> None:
    assert price("\ufeff" + json.dumps(TARIFF)).exit_code == 0


@pytest.mark.parametrize(
    ("tariff", "session", "told"),
    [
        (TARIFF | {"tax_included": "YES"}, SESSION, "tariff.json: tax_included should be NO"),
        (TARIFF | {"currency": "XXX"}, SESSION, "tariff.json: currency should be the code"),
        ("{", SESSION, "tariff.json: The value is not JSON"),
        ("[]", SESSION, "tariff.json: The value is an array"),
        (TARIFF | {"x": "y" * MAX_BYTES}, SESSION, "tariff.json: The tariff has 500,"),
        (TARIFF, SESSION | {"segments": []}, "session.json: segments should have at least 1"),
        (TARIFF, SESSION | {"time_zone": "Mars"}, "session.json: time_zone should be an IANA"),
        (TARIFF, {}, "session.json: started_at is missing"),
        (
            TARIFF | {"start_date_time": "2019-01-28T08:30:01Z"},
            SESSION,
            "tariff.json is not valid at 2019-01-28T08:30:00Z, when the session starts",
        ),
        (
            TARIFF | {"end_date_time": "2019-01-28T08:30:00"},
            SESSION,
            "tariff.json is not valid at 2019-01-28T08:30:00Z, when the session starts",
        ),
    ],
)
def test_what_cannot_be_priced_is_one_sentence_and_exit_code_1(
    price: Any, tariff: object, session: object, told: str
) -> None:
    result = price(tariff, session)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"evcharge: {told}")
    assert result.stderr.count("\n") == 1


def test_a_tariff_that_ends_during_the_session_prices_all_of_it(price: Any) -> None:
    validity = {
        "start_date_time": "2019-01-28T08:30:00Z",
        "end_date_time": "2019-01-28T08:30:00.000001Z",
    }
    assert json.loads(price(TARIFF | validity).stdout)["excl_vat"] == "5.00"


def test_a_file_that_is_not_there_is_named() -> None:
    result = CliRunner().invoke(cli, ["price", "/does/not/exist.json", "-"], input="{}")
    assert result.exit_code == 1
    assert (
        result.stderr
        == "evcharge: /does/not/exist.json cannot be read: No such file or directory\n"
    )
