"""A change of the default tariff or time zone makes no earlier bill wrong, once it is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from faust.cli.base import cli

import evcharge.commands.verify  # noqa: F401 - registers the command
from evcharge.reference.plans import default_document
from evcharge.verification.reference import KnownTariffs, Reference
from tests.agents.memory_step import SETTINGS
from tests.domain.session_records import end, start
from tests.verification.billed import Billed, tariff

NOW = tariff("0.50"), "Europe/Paris"
ONCE = default_document(SETTINGS), SETTINGS.default_time_zone


def sorts(*known: tuple[bytes | str, ...]) -> list[str]:
    """Return what is found of a bill under the former defaults."""
    billed = Billed()
    billed.reference = Reference(*NOW, *known)  # type: ignore[arg-type]
    billed.send(start(user_id="U1"), end(60, 10.0))
    return billed.sorts()


def test_a_bill_under_former_defaults_is_what_it_has_to_be() -> None:
    tariffs, zones = (tariff("0.40"), ONCE[0]), ("Europe/Rome", ONCE[1])

    assert sorts(tariffs, zones) == []


@pytest.mark.parametrize(
    "known", [(), ((ONCE[0],),), ((), (ONCE[1],))], ids=["no", "tariff", "zone"]
)
def test_a_bill_under_defaults_that_nobody_has_named_is_found(
    known: tuple[tuple[bytes | str, ...], ...],
) -> None:
    assert sorts(*known) == ["changed"]


def test_a_tariff_is_compiled_once_however_often_it_is_named() -> None:
    tariffs = KnownTariffs()
    spaced = json.dumps(json.loads(NOW[0]), indent=2).encode()

    first = tariffs.add(NOW[0], None)
    assert first is not None
    assert tariffs.add(spaced, None) is first
    assert tariffs.get(first.digest, None) is first
    assert tariffs.add(NOW[0], 7) is not first
    for document in (b"", b"{", NOW[0] + b"}", b"[]", b"\xff"):
        assert tariffs.add(document, None) is None


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--former-time-zone", "Nowhere", "'Nowhere' is not an IANA time zone such as"),
        ("--former-default-tariff", "no.json", "no.json cannot be read"),
        ("--former-default-tariff", "empty.json", "empty.json: "),
    ],
)
def test_a_former_default_that_cannot_be_is_refused(
    option: str, value: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.json").write_text("{}")

    refused = CliRunner().invoke(cli, ["verify", option, value])

    assert refused.exit_code == 1
    assert said in refused.stderr
