"""`rerate` without a tariff: the audit of what was billed, against Kafka."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from faust.cli.base import cli

import evcharge.commands.rerate  # noqa: F401 - registers the command
from evcharge.settings import Settings
from tests.commands.billed import INVOICES, SEALED, Billed, Written, send, tariff
from tests.domain.billing_desk import correct, void

pytestmark = pytest.mark.broker


@pytest.fixture
def billed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Billed:
    monkeypatch.chdir(tmp_path)
    return Billed(settings, tmp_path)


def audit(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["rerate", *arguments])


def changed(topic: str, **members: Any) -> Callable[[Written], bytes | None]:
    """Return what changes members of the records of a topic."""

    def change(written: Written) -> bytes | None:
        if written.topic != topic:
            return written.value
        return json.dumps(json.loads(written.value) | members).encode()

    return change


def test_what_workers_wrote_is_clean(billed: Billed) -> None:
    for number in range(12):
        station_id = f"EV-{number % 5:03}"
        billed.charge(
            f"S{number}", number, station_id=station_id, user_id="U1" if number % 4 else None
        )
    billed.publish()
    now_us = time.time_ns() // 1_000
    billed.step.decide(correct(2, energy=7, ingest_us=now_us), ("EV-001", "S1"))
    billed.step.decide(void(2, ingest_us=now_us), ("EV-002", "S2"))
    billed.publish()
    Path("tariff.json").write_text(json.dumps(tariff(0.7)))
    may = ("--tariff", "tariff.json", "--from", "2023-05-01", "--to", "2023-06-01")
    assert audit(*may, "--apply", "--wait", "0").exit_code == 0
    assert billed.carry_out() == 8

    result = audit()

    assert (result.exit_code, result.stdout) == (0, "")
    assert "22 sealed sessions" in result.stderr
    assert "18 invoices, 10 credit notes" in result.stderr
    assert result.stderr.endswith("no differences\n")


def test_what_is_not_billed_is_passed_over_and_has_no_invoice(billed: Billed) -> None:
    billed.charge("S1")
    billed.publish()
    billed.step.books.is_billing = False
    billed.charge("S2")
    billed.publish()

    result = audit()
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 sealed sessions" in result.stderr
    assert "1 sessions not billed" in result.stderr
    # Somebody takes the price from what was billed.
    prices = dict.fromkeys(("segments", "terms", "cost", "evidence"))
    billed.change = changed(SEALED, **prices)
    billed.step.books.is_billing = True
    billed.charge("S3")
    billed.publish()
    result = audit()
    assert result.exit_code == 1
    assert "surplus" in result.stdout


@pytest.mark.parametrize(
    ("topic", "members", "told"),
    [
        (INVOICES, {"user_id": "U9"}, "wrong invoice.user_id"),
        (INVOICES, {"energy_kwh": "11"}, "wrong invoice.energy_kwh"),
        (INVOICES, {"issued_at": "2024-01-01T00:00:00Z"}, "wrong invoice.issued_at"),
        (INVOICES, {"number": "2099-01-000001"}, "wrong number"),
        (INVOICES, {"station_id": 7}, "unreadable"),
        (SEALED, {"energy_kwh": "11"}, "wrong energy of the segments"),
        (SEALED, {"ended_at": "2023-05-01T11:15:31Z"}, "wrong duration of the segments"),
        (SEALED, {"user_id": None}, "wrong invoice"),
        (SEALED, {"v": 2}, "unreadable"),
        (SEALED, {"bill": 2}, "wrong invoice"),
    ],
)
def test_what_somebody_changed_is_told_by_its_member(
    billed: Billed, topic: str, members: dict[str, Any], told: str
) -> None:
    billed.change = changed(topic, **members)
    billed.charge("S1")
    billed.publish()

    result = audit()

    assert result.exit_code == 1
    assert told in result.stdout
    assert "differences\n" in result.stderr


def test_an_amount_that_does_not_follow_from_the_stored_terms_is_found(billed: Billed) -> None:
    def cheaper(written: Written) -> bytes:
        return written.value.replace(b'"incl_vat":"6.00"', b'"incl_vat":"5.00"')

    billed.change = cheaper
    billed.charge("S1")
    billed.publish()

    result = audit()

    assert "sealed-sessions/0: 1 wrong cost" in result.stdout or (
        "sealed-sessions/1: 1 wrong cost" in result.stdout
    )
    assert "wrong invoice.cost" in result.stdout
    assert "session S1 of EV-001, bill 1" in result.stdout


def test_a_tariff_that_was_changed_in_the_terms_is_found(billed: Billed) -> None:
    billed.change = lambda written: written.value.replace(b'"price":0.5', b'"price":0.4')
    billed.charge("S1")
    billed.publish()
    out = audit().stdout
    assert "wrong tariff_digest" in out
    assert "wrong cost" in out


def test_a_missing_invoice_is_found_and_the_gap_that_it_leaves(billed: Billed) -> None:
    billed.change = lambda written: (
        None if written.topic == INVOICES and b'"S1"' in written.value else written.value
    )
    billed.charge("S1")
    billed.charge("S2")
    billed.publish()
    out = audit().stdout
    assert "wrong invoice\n    session S1 of EV-001, bill 1: none instead of one" in out
    assert "wrong number" in out
    assert "000002 instead of" in out


def test_an_invoice_that_is_there_twice_is_found(billed: Billed) -> None:
    billed.charge("S1")
    billed.publish()
    (document,) = billed.step.invoices
    send(billed.settings, Written(INVOICES, "EV-001", json.dumps(document).encode()))
    out = audit().stdout
    assert "1 repeated\n    invoice" in out
    assert "wrong number" in out


@pytest.mark.parametrize(
    ("junk", "told"),
    [
        (b'{"note":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "1 unreadable"),
        (b'{"note":"\xff"}', "1 unreadable"),
        (b"", "1 unreadable"),
    ],
)
@pytest.mark.parametrize("topic", [SEALED, INVOICES])
def test_a_record_that_is_no_document_is_told_and_the_audit_goes_on(
    billed: Billed, topic: str, junk: bytes, told: str
) -> None:
    billed.charge("S1")
    billed.publish()
    send(billed.settings, Written(topic, "EV-001", junk))

    result = audit()

    assert result.exit_code == 1
    assert told in result.stdout
    assert "1 invoices" in result.stderr


@pytest.mark.parametrize("started_at", [None, 7, "long ago", "9999-99-99T00:00:00Z"])
def test_an_invoice_of_nothing_that_does_not_say_when_it_began_is_found(
    billed: Billed, started_at: Any
) -> None:
    billed.change = changed(INVOICES, invoice_id="I", started_at=started_at)
    billed.charge("S1")
    billed.publish()
    assert "1 surplus\n    invoice I of session S1" in audit().stdout


def test_an_invoice_of_nothing_that_was_sealed_is_found(billed: Billed) -> None:
    billed.change = lambda written: None if written.topic == SEALED else written.value
    billed.charge("S1")
    billed.publish()
    result = audit()
    assert result.exit_code == 1
    assert "1 surplus\n    invoice" in result.stdout
    assert "of session S1" in result.stdout


def test_a_credit_note_that_is_missing_or_not_the_opposite_is_found(billed: Billed) -> None:
    billed.charge("S1")
    billed.charge("S2")
    billed.publish()

    def tampered(written: Written) -> bytes | None:
        if b'"credit_note"' not in written.value:
            return written.value
        return None if b'"S2"' in written.value else written.value.replace(b"-6.00", b"-5.00")

    billed.change = tampered
    for session_id in ("S1", "S2"):
        billed.step.decide(correct(2, energy=20), ("EV-001", session_id))
    billed.publish()
    out = audit().stdout
    assert (
        "wrong credit_note.cost.incl_vat\n    the credit note of session S1 of EV-001, bill 1: -5.00"
        in out
    )
    assert "wrong credit note\n    session S2 of EV-001, bill 1: none instead of one" in out


def test_a_key_that_names_another_station_is_found(billed: Billed) -> None:
    billed.charge("S1")
    (value,) = (value for topic, value in billed.step.emitted if topic == SEALED)
    billed.change = lambda written: None if written.topic == SEALED else written.value
    billed.publish()
    # Of two stations whose partition is the same one.
    send(billed.settings, Written(SEALED, "EV-002", value))
    assert "the key of the record at 0" in audit().stdout


def test_the_key_of_an_invoice_is_its_station(billed: Billed) -> None:
    billed.change = lambda written: None if written.topic == INVOICES else written.value
    billed.charge("S1")
    billed.publish()
    (document,) = billed.step.invoices
    send(billed.settings, Written(INVOICES, "EV-002", json.dumps(document).encode()))
    assert f"the key of invoice {document['invoice_id']}" in audit().stdout


def test_another_issuer_than_the_settings_is_found_unless_it_is_told_that_it_was_theirs(
    billed: Billed, monkeypatch: pytest.MonkeyPatch
) -> None:
    billed.charge("S1")
    billed.publish()
    monkeypatch.setenv("EVCHARGE_ISSUER_NAME", "Other GmbH")
    result = audit()
    assert result.exit_code == 1
    assert "wrong invoice.issuer.name" in result.stdout
    assert "Test GmbH instead of Other GmbH" in result.stdout

    Path("former.json").write_text('{"name":"Test GmbH","address":"","vat_id":"XX1"}')
    assert audit("--former-issuer", "former.json").exit_code == 0
    for wrong in (b'{"name":"Test GmbH"}', b'{"name":"\xff","address":"","vat_id":""}'):
        Path("former.json").write_bytes(wrong)
        result = audit("--former-issuer", "former.json")
        assert result.exit_code == 1
        assert "former.json is no issuer as in an invoice: " in result.stderr
    result = audit("--tariff", "t.json", "--former-issuer", "former.json")
    assert "--former-issuer belongs to an audit" in result.stderr


def test_only_sessions_of_the_period_are_audited(billed: Billed) -> None:
    billed.change = changed(INVOICES, user_id="U9")
    billed.charge("S1")
    billed.publish()
    assert audit("--from", "2023-05-01", "--to", "2023-05-02").exit_code == 1
    assert audit("--from", "2023-05-02").exit_code == 0
    assert audit("--to", "2023-05-01").exit_code == 0


def test_nothing_billed_is_clean(billed: Billed) -> None:
    result = audit()
    assert (result.exit_code, result.stdout) == (0, "")
    assert "compared nothing" in result.stderr


def test_what_an_audit_finds_is_one_object_for_programs(billed: Billed) -> None:
    billed.charge("S1")
    billed.publish()
    clean = json.loads(audit("--json", "--from", "2023-05-01").stdout)
    assert clean == {
        "from": "2023-05-01T00:00:00Z",
        "to": None,
        "compared": {"numbers": 1, "sealed_sessions": 1, "invoices": 1},
        "differences": [],
    }
    billed.change = changed(INVOICES, user_id="U9")
    billed.charge("S2")
    billed.publish()

    result = audit("--json")

    (different,) = json.loads(result.stdout)["differences"]
    assert (different["sort"], different["count"]) == ("wrong invoice.user_id", 1)
    assert different["where"].startswith("sealed-sessions/")
    assert different["details"] == ["session S2 of EV-001, bill 1: U9 instead of U1"]
    assert (result.exit_code, result.stderr.endswith("1 differences\n")) == (1, True)
