"""The command ``verify`` on real Kafka: equal where all is well, and what is planted is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from evcharge.settings import Settings
from evcharge.storage.rocks_partition import RocksPartition
from evcharge.topics.catalogue import changelog_topic
from tables.charging_sessions import index_key, session_key
from tables.station_status import station_key
from tests.integration.deployment import Deployment

pytestmark = pytest.mark.broker


def session(station: int, number: int) -> list[dict[str, object]]:
    of = {"station_id": f"EV-{station:03}", "session_id": f"S{number}"}
    return [
        of | {"event": "session_start", "timestamp": "2023-05-01T10:00:00Z", "meter_kwh": 7},
        of | {"event": "session_update", "timestamp": "2023-05-01T10:30:00Z", "energy_kwh": 1.5},
        of | {"event": "session_end", "timestamp": "2023-05-01T11:00:00Z", "energy_kwh": 3.25},
    ]


async def fill(deployment: Deployment) -> None:
    """Send sessions, statuses and junk, each to whatever partition comes."""
    sessions = [event for n in range(200) for event in session(n % 20, n)]
    await deployment.produce("charging-sessions", [*sessions, b"no json", *sessions[:2]])
    statuses = [
        {
            "station_id": f"EV-{n % 20:03}",
            "timestamp": f"2023-05-01T10:{n:02}:00Z",
            "status": "free",
        }
        for n in range(60)
    ]
    await deployment.produce("station-status", [*statuses, b"{}", b"\xff"])
    await deployment.applied()


async def append(
    settings: Settings, topic: str, partition: int, key: bytes, value: bytes | None
) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        await producer.send_and_wait(topic, value, key=key, partition=partition)


async def test_all_is_equal_and_what_is_planted_is_found(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()
    await fill(deployment)

    asked = deployment.command("verify", "--url", worker.url)

    assert (asked.returncode, asked.stdout) == (0, ""), asked.stdout
    for compared in (
        "200 sessions over HTTP",
        "20 sessions by their id",
        "20 stations in the list",
        "0 held sessions in the list",
    ):
        assert f" {compared}," in asked.stderr
    assert asked.stderr.endswith("evcharge: equal\n")

    assert worker.stop() == 0
    data = deployment.directory / worker.name
    stopped = deployment.command("verify", "--data", str(data))

    assert (stopped.returncode, stopped.stdout) == (0, ""), stopped.stdout
    assert " rows of stores" in stopped.stderr

    elsewhere = deployment.directory / "empty"
    elsewhere.mkdir()
    nowhere = deployment.command("verify", "--data", str(elsewhere))

    assert nowhere.returncode == 1
    assert f"{elsewhere} holds no rows of station-status or charging-sessions" in nowhere.stderr

    # when one row is changed, one deleted and one added; an output doubled; a store ruined
    settings = deployment.settings
    changelog = settings.topic(changelog_topic(settings, "charging-sessions").name)
    rows = await deployment.records(changelog.removeprefix(settings.topic_prefix))
    one, other = (
        next(row for row in rows if row.key == session_key(f"EV-00{n}", f"S{n}")) for n in (1, 2)
    )
    await append(settings, changelog, one.partition, one.key, other.value)
    await append(settings, changelog, other.partition, other.key, None)
    await append(settings, changelog, 0, index_key("SX", "EV-001"), b"\x91\x01")
    for topic in ("dead-letters", "charging-sessions-rerouted", "sealed-sessions"):
        [first, *_] = await deployment.records(topic)
        async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
            await producer.send_and_wait(
                first.topic,
                first.value,
                key=first.key,
                partition=first.partition,
                headers=list(first.headers),
            )
    ruin(data)

    found = deployment.command("verify", "--data", str(data))

    assert found.returncode == 1, found.stderr
    for line in (
        "session S2 of EV-002",
        r"row b'ISX\x00EV-001'",
        "dead-letters: 1 repeated",
        "charging-sessions-rerouted: 1 repeated",
        "sealed-sessions/0: 1 repeated",
        "not at the end of its source",
        r"row b'SEV-999'",
    ):
        assert line in found.stdout, f"{line} is not in\n{found.stdout}"


def ruin(data: Path) -> None:
    """Put a row into a store that its changelog never had."""
    [path, *_] = sorted(data.rglob("station-status-0"))
    store = RocksPartition(path)
    offset = store.changelog_offset()
    assert offset is not None
    store.write({station_key("EV-999"): b"\x92\x01\x90"}, offset)
    store.close()


async def remove(deployment: Deployment, topic: str, partition: int, before: int) -> None:
    """Have Kafka remove the first records of a partition, as retention does; -1: all of them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.bootstrap)
    await admin.start()
    try:
        place = TopicPartition(deployment.settings.topic(topic), partition)
        await admin.delete_records({place: RecordsToDelete(before)})
    finally:
        await admin.close()


async def test_what_follows_from_records_that_retention_removed_is_left_out_and_the_rest_compared(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    await fill(deployment)
    for number in range(deployment.settings.partitions):
        await remove(deployment, "station-status", number, 1)

    without_statuses = deployment.command("verify", "--url", worker.url)

    assert (without_statuses.returncode, without_statuses.stdout) == (0, "")
    assert " 20 stations over HTTP" in without_statuses.stderr
    assert " 200 sessions," in without_statuses.stderr
    assert "partitions of station-status, whose first" in without_statuses.stderr
    assert without_statuses.stderr.endswith("equal, as far as it could be checked\n")

    await remove(deployment, "charging-sessions-rerouted", 0, 1)
    await remove(deployment, "charging-sessions", 1, -1)
    [sealed, *_] = await deployment.records("sealed-sessions")
    assert sealed.partition == 0
    await append(deployment.settings, sealed.topic, 0, sealed.key, sealed.value)
    found = deployment.command("verify", "--url", worker.url)

    lines = [line for line in found.stdout.splitlines() if not line.startswith(" ")]
    assert lines == ["sealed-sessions/0: 1 repeated"], found.stdout
    assert "2 partitions of charging-sessions, whose first" in found.stderr
    assert "1 lists of stations and of held sessions over HTTP" in found.stderr


async def test_a_worker_that_is_behind_is_found(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()
    await fill(deployment)
    assert worker.stop() == 0
    await deployment.produce("charging-sessions", session(1, 1_000))

    found = deployment.command("verify")

    assert found.returncode == 1
    assert "not at the end of its source" in found.stdout


async def test_a_deployment_without_topics_cannot_be_checked(deployment: Deployment) -> None:
    checked = deployment.command("verify")

    assert checked.returncode == 1
    assert "is this the right deployment?" in checked.stderr
