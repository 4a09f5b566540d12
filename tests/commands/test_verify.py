"""`verify`: what it prints of what was found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from faust.cli.base import cli

import evcharge.commands.verify
from evcharge.errors import CommandError
from evcharge.settings import Settings
from evcharge.verification import Report


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command with a check that does what is given with its report."""

    def run(check: Callable[[Report], Awaitable[None]], *arguments: str) -> Result:
        async def checked(settings: Settings, report: Report, **_: Any) -> None:
            await check(report)

        monkeypatch.setattr(evcharge.commands.verify, "check", checked)
        return CliRunner().invoke(cli, ["verify", *arguments])

    return run


async def _find(report: Report) -> None:
    report.compared["sessions"] += 3
    report.differs("here", "missing", "session S1 of EV-001")


async def _find_and_fail(report: Report) -> None:
    await _find(report)
    raise CommandError("Kafka does not answer")


async def _find_and_be_interrupted(report: Report) -> None:
    await _find(report)
    raise KeyboardInterrupt


async def _find_nothing(report: Report) -> None:
    report.compared["sessions"] += 3


FOUND = "here: 1 missing\n    session S1 of EV-001\n"


def test_what_was_found_is_printed(verify: Any) -> None:
    found = verify(_find)

    assert (found.exit_code, found.stdout) == (1, FOUND)
    assert found.stderr == "evcharge: compared 3 sessions\nevcharge: 1 differences\n"


def test_what_was_found_is_printed_though_the_check_cannot_go_on(verify: Any) -> None:
    found = verify(_find_and_fail)

    assert (found.exit_code, found.stdout) == (1, FOUND)
    assert found.stderr.splitlines() == [
        "evcharge: compared 3 sessions",
        "evcharge: incomplete, the check has ended early: 1 differences so far",
        "evcharge: Kafka does not answer",
    ]


def test_what_was_found_is_printed_though_somebody_interrupts_it(verify: Any) -> None:
    found = verify(_find_and_be_interrupted)

    assert (found.exit_code, found.stdout) == (130, FOUND)
    assert "incomplete" in found.stderr


def test_a_check_that_found_nothing_says_equal(verify: Any) -> None:
    found = verify(_find_nothing)

    assert (found.exit_code, found.stdout) == (0, "")
    assert found.stderr.endswith("evcharge: equal\n")
