"""`rerate` with a tariff, and `what-if`, against Kafka."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from faust.cli.base import cli

import evcharge.commands.rerate
import evcharge.commands.what_if  # noqa: F401 - registers the command
from evcharge.settings import Settings
from tests.commands.billed import DECISIONS, INVOICES, SEALED, Billed, Written, read, send, tariff
from tests.eventually import eventually

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[2]
MAY = ("--from", "2023-05-01", "--to", "2023-06-01")


@pytest.fixture
def billed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Billed:
    monkeypatch.chdir(tmp_path)
    return Billed(settings, tmp_path)


def command(name: str, *arguments: str, under: object = None) -> Result:
    """Run a command; ``under`` is the tariff that it is given."""
    given: tuple[str, ...] = ()
    if under is not None:
        Path("tariff.json").write_text(json.dumps(under))
        given = ("--tariff", "tariff.json")
    return CliRunner().invoke(cli, [name, *given, *arguments])


def report(name: str, *arguments: str, under: object, code: int = 0) -> dict[str, Any]:
    result = command(name, *arguments, "--json", under=under)
    assert result.exit_code == code, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rerate(*arguments: str, under: object) -> dict[str, Any]:
    return report("rerate", *MAY, *arguments, under=under)


def apply(*arguments: str, under: object) -> Result:
    return command("rerate", *MAY, "--apply", "--wait", "0", *arguments, under=under)


# ---- the report


def test_the_report_is_for_a_person(billed: Billed) -> None:
    billed.charge("S1", 10)
    billed.charge("S2", 30, station_id="EV-002")
    billed.charge("S3", 5, user_id=None)
    billed.publish()

    result = command("rerate", *MAY, under=tariff(0.55))

    assert (result.exit_code, result.stderr) == (0, "")
    first, *lines = result.stdout.splitlines()
    assert first.startswith(
        "sessions that started from 2023-05-01T00:00:00Z until 2023-06-01T00:00:00Z, under T1 ("
    )
    assert lines == [
        "sessions: 3, of which 2 would be billed anew",
        "billed under: T1 3",
        "old total: 24.00 EUR with VAT",
        "new total: 26.40 EUR with VAT",
        "difference: +2.40 EUR",
        "without a user, so never invoiced: 1 sessions",
        "  old total: 3.00 EUR with VAT",
        "  new total: 3.30 EUR with VAT",
        "  difference: +0.30 EUR",
        "the biggest differences:",
        "  S2 of EV-002: 18.00 -> 19.80 EUR (+1.80)",
        "  S1 of EV-001: 6.00 -> 6.60 EUR (+0.60)",
    ]
    assert read(billed.settings, DECISIONS) == []


def test_sessions_that_are_not_billed_are_passed_over_and_counted(billed: Billed) -> None:
    billed.charge("S1")
    billed.step.books.is_billing = False
    for number in range(2, 5):
        billed.charge(f"S{number}", at=number)
    billed.charge("S5", at=60 * 24 * 31)
    billed.publish()
    for found in (rerate(under=tariff(0.6)), report("what-if", *MAY, under=tariff(0.6))):
        assert (found["sessions"], found["changed"], found["not_billed"]) == (1, 1, 3)
    told = "not billed: 3 sessions that were completed while billing was switched off"
    assert told in command("rerate", *MAY, under=tariff(0.6)).stdout.splitlines()
    assert apply(under=tariff(0.6)).exit_code == 0
    assert len(read(billed.settings, DECISIONS)) == 1


def test_sessions_are_meant_that_start_in_the_period(billed: Billed) -> None:
    for number, at in enumerate((-1.0, 0.0, 59.0, 60.0)):
        billed.charge(f"S{number}", at=at)
    billed.publish()
    hour = ("--from", "2023-05-01T10:15:30Z", "--to", "2023-05-01T13:15:30+02:00")
    found = report("rerate", *hour, under=tariff(1))
    assert [each["session_id"] for each in found["biggest"]] == ["S2", "S1"]


def test_a_date_begins_at_midnight_of_the_default_time_zone(
    billed: Billed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVCHARGE_DEFAULT_TIME_ZONE", "America/New_York")
    assert rerate(under=tariff(1))["from"] == "2023-05-01T04:00:00Z"


def test_the_last_bill_of_a_session_counts(billed: Billed) -> None:
    billed.charge("S1")
    billed.charge("S2")
    billed.publish()
    apply("--top", "0", under=tariff(0.6))
    billed.carry_out()

    found = rerate(under=tariff(0.8))

    assert (found["sessions"], found["changed"]) == (2, 2)
    assert found["totals"] == [{"currency": "EUR", "old": "14.40", "new": "19.20"}]


def test_only_sessions_of_the_named_tariffs_are_meant(billed: Billed) -> None:
    for session_id in ("S1", "S2"):
        billed.charge(session_id)
    billed.publish()
    first = {"start_date_time": "2023-05-01T10:15:30Z"}
    apply(under=tariff(0.6, "T2", **first))
    billed.carry_out()
    billed.charge("S3")
    billed.publish()

    assert rerate(under=tariff(1))["billed_under"] == {"T1": 1, "T2": 2}
    assert rerate("--tariff-id", "T2", under=tariff(1))["billed_under"] == {"T2": 2}
    both = rerate("--tariff-id", "T2", "--tariff-id", "T1", under=tariff(1))
    assert both["sessions"] == 3
    assert rerate("--tariff-id", "T9", under=tariff(1))["sessions"] == 0


def test_a_tariff_re_rates_only_sessions_at_whose_start_it_is_valid(billed: Billed) -> None:
    billed.charge("S1", at=-1)
    billed.charge("S2")
    billed.publish()
    dated = tariff(1, start_date_time="2023-05-01T10:15:30Z")

    found = rerate(under=dated)

    assert (found["sessions"], found["not_valid"]) == (1, 1)
    assert report("what-if", under=dated)["sessions"] == 2


def test_sessions_that_workers_have_forgotten_are_left_out(billed: Billed) -> None:
    billed.charge("S1", days_ago=101)
    billed.charge("S2", days_ago=99)
    billed.publish()

    found = rerate(under=tariff(1))

    assert (found["sessions"], found["forgotten"]) == (1, 1)
    assert report("what-if", under=tariff(1))["sessions"] == 2


def test_a_record_that_is_none_of_evcharges_is_told_and_left_out(billed: Billed) -> None:
    billed.charge("S1")
    billed.publish()
    send(billed.settings, Written(SEALED, "EV-001", b"{}"), Written(SEALED, "EV-001", b"junk"))

    result = command("rerate", *MAY, under=tariff(1))

    assert result.exit_code == 1
    assert "sessions: 1, of which 1 would be billed anew" in result.stdout
    assert "2 records of sealed-sessions cannot be read" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_tariff_in_another_currency_has_totals_of_its_own(billed: Billed) -> None:
    billed.charge("S1")
    billed.publish()
    result = command("what-if", under=tariff(100, currency="JPY"))
    assert "old total: 6.00 EUR with VAT\nnew total: 1200 JPY with VAT\n" in result.stdout
    assert "  S1 of EV-001: 6.00 EUR -> 1200 JPY" in result.stdout


# ---- --apply


def test_what_is_applied_is_credited_and_invoiced_once(billed: Billed) -> None:
    billed.charge("S1", 10)
    billed.charge("S2", 20, station_id="EV-002")
    billed.charge("S3", 0)
    billed.publish()

    result = apply("--reason", "the price was wrong", under=tariff(0.6))
    assert result.exit_code == 0
    assert "2 decisions written: 2 credit notes and 2 invoices follow" in result.stderr
    assert billed.carry_out() == 2

    documents = [json.loads(record.value) for record in read(billed.settings, INVOICES)]
    assert sorted((each["kind"], each["cost"]["incl_vat"]) for each in documents) == [
        ("credit_note", "-12.00"),
        ("credit_note", "-6.00"),
        ("invoice", "12.00"),
        ("invoice", "14.40"),
        ("invoice", "6.00"),
        ("invoice", "7.20"),
    ]
    assert command("rerate").exit_code == 0, "the audit"
    again = apply(under=tariff(0.6))
    assert "0 decisions written" in again.stderr
    assert (again.exit_code, billed.carry_out()) == (0, 0)


def test_applied_twice_before_workers_come_to_it_nothing_is_billed_twice(billed: Billed) -> None:
    billed.charge("S1")
    billed.publish()
    for _ in range(2):
        assert apply(under=tariff(0.6)).exit_code == 0
    first, second = read(billed.settings, DECISIONS)
    assert billed.carry_out() == 2

    assert json.loads(first.value)["decision_id"] == json.loads(second.value)["decision_id"]
    assert [each["kind"] for each in billed.step.invoices] == ["invoice", "credit_note", "invoice"]


def test_an_interrupted_run_is_simply_repeated(billed: Billed) -> None:
    count = 1_500
    for number in range(count):
        billed.charge(f"S{number}", station_id=f"EV-{number % 9}")
    billed.publish()
    Path("tariff.json").write_text(json.dumps(tariff(0.6)))

    with subprocess.Popen(
        [sys.executable, "-m", "evcharge", "rerate", "--tariff", "tariff.json", *MAY, "--apply"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        eventually(lambda: read(billed.settings, DECISIONS), what="a decision")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    # At the latest while it waited for workers.
    assert process.returncode == 130, told
    assert apply("--top", "0", under=tariff(0.6)).exit_code == 0
    assert billed.carry_out() >= count

    assert Counter(each["session_id"] for each in billed.step.sealed) == {
        f"S{number}": 2 for number in range(count)
    }
    assert len(billed.step.invoices) == 3 * count
    assert command("rerate").exit_code == 0, "the audit"


def test_a_decision_says_what_it_follows_from(billed: Billed) -> None:
    billed.charge("S1")
    billed.publish()
    apply("--actor", "clerk-7", "--reason", "the price was wrong", under=tariff(0.6))

    (found,) = read(billed.settings, DECISIONS)

    said = json.loads(found.value)
    assert found.key == b"EV-001"
    assert said.pop("decision_id").startswith("rerate-")
    assert said.pop("decided_at")
    assert said == {
        "v": 1,
        "station_id": "EV-001",
        "session_id": "S1",
        "decision": "rerate",
        "actor": "clerk-7",
        "revision": 2,
        "reason": "the price was wrong",
        "tariff": tariff(0.6),
    }


def test_back_to_the_old_tariff_is_another_decision(billed: Billed) -> None:
    billed.charge("S1")
    billed.publish()
    for price in (0.6, 0.5, 0.6):
        apply(under=tariff(price))
        assert billed.carry_out() == 1
    assert [each["cost"]["incl_vat"] for each in billed.step.sealed] == [
        *("6.00", "7.20", "6.00", "7.20"),
    ]
    assert command("rerate").exit_code == 0, "the audit"


def test_without_a_worker_it_says_how_to_see_what_became_of_it(billed: Billed) -> None:
    billed.charge("S1")
    billed.publish()
    result = apply(under=tariff(0.6))
    assert "the workers have come no further for 0 s" in result.stderr
    assert "without --apply" in result.stderr
    assert result.exit_code == 0


def test_what_if_writes_nothing(billed: Billed) -> None:
    billed.charge("S1")
    billed.publish()
    result = command("what-if", under=tariff(0.6))
    assert "of which 1 would be billed anew" in result.stdout
    assert read(billed.settings, DECISIONS) == []


# ---- what cannot be done


@pytest.mark.parametrize(
    ("arguments", "under", "told"),
    [
        (MAY, {}, "tariff.json: id is missing"),
        (MAY, tariff(1, currency="XXX"), "tariff.json: currency should be"),
        (("--from", "2023-05-01"), tariff(1), "a re-rating needs --from and --to"),
        (("--from", "May", "--to", "2023-06-01"), tariff(1), "--from 'May' cannot be used"),
        (("--from", "2023-02-30", "--to", "2023-06-01"), tariff(1), "--from '2023-02-30' cannot"),
        (("--from", "2023-05-01", "--to", "2023-05-01"), tariff(1), "--to 2023-05-01 is not after"),
        ((*MAY, "--actor", "Jane Doe"), tariff(1), "--actor 'Jane Doe' is not 1 to 64"),
        (("--apply",), None, "--apply and --tariff-id belong to a re-rating"),
        (("--tariff-id", "T1"), None, "--apply and --tariff-id belong to a re-rating"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    billed: Billed, arguments: tuple[str, ...], under: object, told: str
) -> None:
    result = command("rerate", *arguments, under=under)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"evcharge: {told}")
    assert result.stderr.count("\n") == 1


def test_without_topics_it_says_how_to_make_them(
    bare_deployment: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = command("what-if", under=tariff(1))
    assert result.exit_code == 1
    assert "does not exist: create the topics" in result.stderr
