"""`simulate` on a real Kafka: the rate, the partitions, the faults, and how it ends."""

from __future__ import annotations

import json
import signal
import zlib
from pathlib import Path

import pytest

from evcharge.broker import KafkaCluster
from evcharge.commands.simulate import read_plans
from evcharge.errors import CommandError
from evcharge.kafka.partitioning import Partitioner
from tests.commands.published import ROOT, SESSIONS, STATUS, Topics, fresh_topics
from tests.eventually import eventually_async

CITY = ROOT / "examples" / "city" / "stations.json"


async def events(topics: Topics) -> list[tuple[int, bytes | None, bytes | None]]:
    return [
        (record.partition, record.key, record.value)
        for topic in (SESSIONS, STATUS)
        for record in await topics.records(topic)
    ]


async def says_updates(topics: Topics) -> bool:
    return any(b"session_update" in (value or b"") for _, _, value in await events(topics))


@pytest.mark.broker
async def test_a_fleet_speaks_at_the_asked_rate_under_its_keys_and_leaves_no_car(
    kafka: KafkaCluster,
) -> None:
    topics = await fresh_topics(kafka.bootstrap)

    ran = topics.run(
        *("simulate", "--stations", "20", "--rate", "200", "--duration", "5"),
        *("--session-seconds", "5"),
    )

    assert ran.returncode == 0, ran.stderr
    published = await events(topics)
    assert 800 <= len(published) <= 1200
    assert f"evcharge: {len(published):,} records published" in ran.stderr
    partition_of = Partitioner(topics.settings.partitions).partition_of
    kinds = []
    for partition, key, value in published:
        event = json.loads(value or b"")
        assert (key or b"").decode() == event["station_id"]
        assert partition == partition_of(event["station_id"])
        kinds.append(event.get("event"))
    assert kinds.count("session_start") == kinds.count("session_end") > 0


@pytest.mark.broker
async def test_the_same_seed_and_start_publish_the_same_whatever_the_clock_says(
    kafka: KafkaCluster,
) -> None:
    published = []
    for _ in range(2):
        topics = await fresh_topics(kafka.bootstrap)
        ran = topics.run(
            *("simulate", "--rate", "100", "--duration", "3", "--seed", "5", "--faults"),
            *("--start", "2024-03-05T16:00:00Z", "--session-seconds", "5"),
        )
        assert ran.returncode == 0, ran.stderr
        published.append(await events(topics))

    assert published[0] == published[1]
    assert len(published[0]) > 200


@pytest.mark.broker
async def test_faults_reach_kafka_and_are_counted(kafka: KafkaCluster) -> None:
    topics = await fresh_topics(kafka.bootstrap)

    ran = topics.run(
        *("simulate", "--rate", "1000", "--duration", "3", "--faults", "--session-seconds", "5")
    )

    assert ran.returncode == 0, ran.stderr
    counts = dict(
        line.removeprefix("evcharge:   fault ").removesuffix(" records").split(": ")
        for line in ran.stderr.splitlines()
        if "fault" in line
    )
    assert len(counts) == 11
    published = await events(topics)
    assert sum(key is None for _, key, _ in published) >= int(counts["no_key"]) > 0
    partition_of = Partitioner(topics.settings.partitions).partition_of
    elsewhere = {
        (key.decode(), partition)
        for partition, key, _ in published
        if key is not None and partition != partition_of(key.decode())
    }
    assert elsewhere
    for station_id, partition in elsewhere:
        assert partition == zlib.crc32(station_id.encode()) % topics.settings.partitions


@pytest.mark.broker
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_unplugs_every_car_and_ends_well(
    kafka: KafkaCluster, number: signal.Signals
) -> None:
    topics = await fresh_topics(kafka.bootstrap)
    with topics.start("simulate", "--rate", "200", "--session-seconds", "30") as simulate:
        await eventually_async(lambda: says_updates(topics))
        simulate.send_signal(number)
        _, said = simulate.communicate(timeout=30)

    assert simulate.returncode == 0, said
    kinds = [json.loads(value or b"").get("event") for _, _, value in await events(topics)]
    assert kinds.count("session_start") == kinds.count("session_end") > 0


def test_the_stations_of_a_file_can_be_limited() -> None:
    assert len({plan.station_id for plan in read_plans(CITY, None)}) == 40
    assert {plan.station_id for plan in read_plans(CITY, 2)} == {"CITY-001", "CITY-002"}


def test_without_a_file_the_fleet_is_that_of_the_example_register() -> None:
    assert read_plans(None, None) == read_plans(CITY, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "is no register of stations: "), ("[]", "expected a JSON array of stations")],
)
def test_a_file_that_is_no_register_is_named(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "stations.json"
    file.write_text(content)

    with pytest.raises(CommandError) as refused:
        read_plans(file, None)

    assert str(file) in str(refused.value)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.json cannot be read: No such file"):
        read_plans(tmp_path / "none.json", None)
