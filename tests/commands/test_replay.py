"""`replay` on a real Kafka: what is in the topics afterwards, and how it fails."""

from __future__ import annotations

import json
import signal
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from faust.cli.base import cli

import evcharge.commands.replay  # noqa: F401 - registers the command
from evcharge.broker import KafkaCluster
from evcharge.domain.quantities import parse_timestamp
from evcharge.kafka.partitioning import Partitioner
from tests.commands.published import ROOT, SESSIONS, STATUS, fresh_topics
from tests.eventually import eventually_async

WORKPLACE = ROOT / "examples" / "workplace" / "sessions.csv"
HEADER = "session_id,station_id,start_time,end_time,energy_kwh,user_id\n"


@pytest.mark.broker
async def test_all_real_sessions_are_there_in_the_right_partitions_and_in_time_order(
    kafka: KafkaCluster,
) -> None:
    topics = await fresh_topics(kafka.bootstrap)

    ran = topics.run("replay", str(WORKPLACE), "--speed", "0")

    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == "evcharge: 3395 sessions published as 13580 events\n"
    assert ran.stdout == ""
    partition_of = Partitioner(topics.settings.partitions).partition_of
    energy = Decimal(0)
    kinds: defaultdict[str, int] = defaultdict(int)
    for topic in (SESSIONS, STATUS):
        last: defaultdict[int, int] = defaultdict(int)
        for record in await topics.records(topic):
            event = json.loads(record.value or b"", parse_float=Decimal)
            assert (record.key or b"").decode() == event["station_id"]
            assert record.partition == partition_of(event["station_id"])
            at_us = parse_timestamp(event["timestamp"])
            assert at_us >= last[record.partition]
            last[record.partition] = at_us
            kinds[event.get("event") or event["status"]] += 1
            energy += event.get("energy_kwh", 0)
    assert kinds == dict.fromkeys(("session_start", "session_end", "occupied", "free"), 3395)
    assert energy == Decimal("19723.69")


@pytest.mark.broker
async def test_a_repeated_replay_publishes_equal_records(
    kafka: KafkaCluster, tmp_path: Path
) -> None:
    topics = await fresh_topics(kafka.bootstrap)
    file = tmp_path / "some.csv"
    file.write_text("".join(WORKPLACE.read_text().splitlines(keepends=True)[:200]))

    for _ in range(2):
        assert topics.run("replay", str(file), "--speed", "0").returncode == 0

    for topic in (SESSIONS, STATUS):
        of_partition: defaultdict[int, list[object]] = defaultdict(list)
        for record in await topics.records(topic):
            of_partition[record.partition].append((record.key, record.value))
        for found in of_partition.values():
            half = len(found) // 2
            assert found[:half] == found[half:]


@pytest.mark.broker
async def test_the_speed_is_seconds_of_event_time_per_second(
    kafka: KafkaCluster, tmp_path: Path
) -> None:
    topics = await fresh_topics(kafka.bootstrap)
    file = tmp_path / "hour.csv"
    file.write_text(HEADER + "S1,EV-1,2023-05-01T10:00:00Z,2023-05-01T11:00:00Z,7.2,\n")

    assert topics.run("replay", str(file), "--speed", "1800").returncode == 0

    start, end = await topics.records(SESSIONS)
    assert 1.8 <= (end.timestamp - start.timestamp) / 1000 < 4


@pytest.mark.broker
async def test_a_bad_row_is_one_sentence_and_nothing_is_published(
    kafka: KafkaCluster, tmp_path: Path
) -> None:
    topics = await fresh_topics(kafka.bootstrap)
    file = tmp_path / "bad.csv"
    good = "S1,EV-1,2023-05-01T10:00:00Z,2023-05-01T11:00:00Z,7.2,\n"
    file.write_text(HEADER + good + good.replace("7.2", "much"))

    ran = topics.run("replay", str(file), "--speed", "0")

    assert ran.returncode == 1
    assert ran.stderr == (
        f"evcharge: {file} line 3: energy_kwh 'much' is not a number of kWh such as 22.5\n"
    )
    assert await topics.records(SESSIONS) == []


@pytest.mark.broker
async def test_an_interrupted_replay_says_how_far_it_came_and_ends_with_130(
    kafka: KafkaCluster,
) -> None:
    topics = await fresh_topics(kafka.bootstrap)
    with topics.start("replay", str(WORKPLACE), "--speed", "3600") as replay:
        await eventually_async(lambda: topics.records(SESSIONS))
        replay.send_signal(signal.SIGINT)
        _, said = replay.communicate(timeout=30)

    assert replay.returncode == 130, said
    assert "of 13580 events are known to be published; run it again to publish all" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("speed", ["inf", "-inf", "nan", "-1"])
def test_a_speed_that_is_none_is_refused(tmp_path: Path, speed: str) -> None:
    file = tmp_path / "one.csv"
    file.write_text(HEADER + "S1,EV-1,2023-05-01T10:00:00Z,2023-05-01T11:00:00Z,7.2,\n")
    ran = CliRunner().invoke(cli, ["replay", str(file), f"--speed={speed}"])
    assert ran.exit_code in {1, 2}
    assert "--speed" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_session_of_the_future_is_refused_before_anything_is_published(tmp_path: Path) -> None:
    file = tmp_path / "ahead.csv"
    file.write_text(HEADER + "S1,EV-1,2023-05-01T10:00:00Z,9999-05-01T11:00:00Z,7.2,\n")
    ran = CliRunner().invoke(cli, ["replay", str(file), "--speed=0"])
    assert ran.exit_code == 1
    assert ran.stderr == (
        f"evcharge: {file} holds a session of 9999-05-01T11:00:00Z: more than 24 h ahead of now a"
        " worker would reject it\n"
    )
