"""`topics` against Kafka."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result
from faust.cli.base import cli

import evcharge.commands.topics  # noqa: F401 - registers the command
from evcharge.settings import Settings
from evcharge.topics import CATALOGUE, TABLES


@pytest.fixture
def prefix(bare_deployment: Settings) -> str:
    return bare_deployment.topic_prefix


def command(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["topics", *arguments])


@pytest.mark.broker
def test_the_first_run_creates_and_the_second_finds(prefix: str) -> None:
    count = len(CATALOGUE) + len(TABLES)
    first, second = command(), command()
    assert (first.exit_code, second.exit_code) == (0, 0)
    lines = first.stdout.splitlines()
    assert [line.split()[0] for line in lines[: len(CATALOGUE)]] == [
        prefix + topic.name for topic in CATALOGUE
    ]
    assert lines[-1] == f"{count} topics: {count} created, 0 differences"
    assert second.stdout.splitlines()[-1] == f"{count} topics: 0 created, 0 differences"
    assert lines[0].split()[1:] == ["2", "partitions", "1", "day", "created"]


@pytest.mark.broker
def test_differences_are_told_and_are_no_failure(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVCHARGE_MIN_INSYNC", "1")
    command()
    # when two copies are wanted of what has one
    monkeypatch.setenv("EVCHARGE_REPLICATION", "2")
    result = command()
    assert result.exit_code == 0
    assert "replication is 1, expected 2" in result.stdout
    assert f"{len(CATALOGUE) + len(TABLES)} differences" in result.stdout


@pytest.mark.broker
def test_programs_get_one_json_object(prefix: str) -> None:
    report = json.loads(command("--json").stdout)
    assert report["topics"][0] == {
        "name": f"{prefix}station-status",
        "partitions": 2,
        "retention_ms": 86_400_000,
        "created": True,
        "differences": [],
    }


@pytest.mark.broker
def test_another_number_of_partitions_is_shown_and_fails(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command()
    monkeypatch.setenv("EVCHARGE_PARTITIONS", "4")
    result = command()
    assert result.exit_code == 1
    assert "partitions is 2, expected 4" in result.stdout
    assert result.stderr.startswith(f"evcharge: the topic {prefix}station-status has 2 partition")
    assert result.stderr.count("\n") == 1


def test_a_wrong_setting_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVCHARGE_PARTITIONS", "3")
    result = command()
    assert result.exit_code == 2
    assert "EVCHARGE_PARTITIONS='3' cannot be used" in result.stderr
