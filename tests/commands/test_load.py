"""`load` against Kafka."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from faust.cli.base import cli

import evcharge.commands.load  # noqa: F401 - registers the command
from evcharge.settings import Settings
from evcharge.topics.catalogue import STATIONS
from tests.read_topic import read_topic

TARIFF = {
    "id": "T1",
    "currency": "EUR",
    "last_updated": "2024-01-01T00:00:00Z",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.25, "step_size": 1}]}],
}


def load(*files: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["load", *map(str, files)], input=stdin)


def published(settings: Settings, topic: str) -> list[tuple[bytes, object]]:
    records = asyncio.run(read_topic(settings.bootstrap, settings.topic(topic)))
    return [(record.key, json.loads(record.value)) for record in records]


@pytest.mark.broker
def test_stations_and_tariffs_of_all_files_are_published(
    settings: Settings, tmp_path: Path
) -> None:
    stations = [{"station_id": f"EV-{n:03}", "name": "Ä"} for n in range(105)]
    (tmp_path / "stations.json").write_text(json.dumps(stations, indent=2))
    (tmp_path / "mixed.jsonl").write_text(f'{json.dumps(TARIFF)}\n{{"station_id": "X"}}\n')

    result = load(tmp_path / "stations.json", tmp_path / "mixed.jsonl")

    assert result.exit_code == 0, result.stderr
    assert result.stderr.endswith("106 stations and 1 tariff published\n")
    assert published(settings, "stations") == [
        *((station["station_id"].encode(), station) for station in stations),
        (b"X", {"station_id": "X"}),
    ]
    assert published(settings, "tariffs") == [(b"T1", TARIFF)]


@pytest.mark.broker
def test_a_repeated_load_publishes_equal_records(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "tariff.json").write_text(json.dumps(TARIFF))
    load(tmp_path / "tariff.json")
    load(tmp_path / "tariff.json")
    first, second = published(settings, "tariffs")
    assert first == second


@pytest.mark.broker
def test_standard_input_is_read_with_a_dash(settings: Settings) -> None:
    result = load("-", stdin='{"station_id": "A"}')
    assert result.exit_code == 0, result.stderr
    assert published(settings, "stations") == [(b"A", {"station_id": "A"})]


@pytest.mark.broker
def test_one_wrong_object_keeps_everything_from_being_published(
    settings: Settings, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"station_id": "A"}')
    bad.write_text('[{"station_id": "B"}, {"station_id": "C", "latitude": 91, "longitude": 0}]')
    result = load(good, bad)
    assert result.exit_code == 1
    assert "nothing was published, because 1 of 3 objects cannot be used" in result.stderr
    assert f"{bad}, object 2: " in result.stderr
    assert "latitude" in result.stderr
    assert published(settings, "stations") == []


def test_the_first_ten_wrong_objects_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(json.dumps([{"station_id": ""}] * 25))
    result = load(tmp_path / "bad.json")
    assert result.stderr.count("bad.json, object ") == 10
    assert "and 15 more" in result.stderr


@pytest.mark.parametrize(
    ("content", "problem"),
    [("[", "is not JSON"), ("[]", "nothing to publish"), ("", "nothing to publish")],
)
def test_a_file_without_objects_is_one_sentence(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "f.json").write_text(content)
    result = load(tmp_path / "f.json")
    assert result.exit_code == 1
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_unreadable_file_is_one_sentence(tmp_path: Path) -> None:
    result = load(tmp_path / "absent.json")
    assert result.exit_code == 1
    assert (
        result.stderr
        == f"evcharge: {tmp_path / 'absent.json'} cannot be read: No such file or directory\n"
    )
    assert load(tmp_path).stderr.endswith("cannot be read: Is a directory\n")


@pytest.mark.broker
def test_missing_topics_are_one_sentence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVCHARGE_TOPIC_PREFIX", "elsewhere.")
    result = load("-", stdin='{"station_id": "A"}')
    assert result.exit_code == 1
    assert "the topic elsewhere.stations does not exist" in result.stderr


@pytest.mark.broker
def test_the_largest_object_that_is_accepted_is_one_that_kafka_takes(
    settings: Settings, tmp_path: Path
) -> None:
    # given the largest station that passes, and one byte more
    most = STATIONS.max_record_bytes - 100 - len("A")
    fill = most - len('{"station_id":"A","more":""}')
    (tmp_path / "fits.json").write_text(f'{{"station_id":"A","more":"{"x" * fill}"}}')
    (tmp_path / "large.json").write_text(f'{{"station_id":"A","more":"{"x" * (fill + 1)}"}}')

    assert load(tmp_path / "fits.json").exit_code == 0
    refused = load(tmp_path / "large.json")

    assert refused.exit_code == 1
    assert "nothing was published, because 1 of 1 objects cannot be used" in refused.stderr
    assert [key for key, _ in published(settings, "stations")] == [b"A"]
