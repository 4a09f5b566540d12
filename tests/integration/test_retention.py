"""What Kafka removes before a worker has read it is lost, and told; the rest is read on."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from evcharge.kafka.partitioning import partition_of
from tests.integration.deployment import Deployment, Worker, metric

pytestmark = pytest.mark.broker

TOPIC = "station-status"
LOST = "evcharge_records_lost_total"


def home(deployment: Deployment, station_id: str) -> int:
    return partition_of(station_id.encode(), deployment.settings.partitions)


async def report(deployment: Deployment, station_id: str, *minutes: int) -> None:
    """Send statuses of a station with their minutes as error codes."""
    await deployment.produce(
        TOPIC,
        [
            {
                "station_id": station_id,
                "timestamp": f"2023-05-01T10:{minute:02}:00Z",
                "status": "faulted",
                "error_code": f"E{minute}",
            }
            for minute in minutes
        ],
        partition=home(deployment, station_id),
    )


async def remove(deployment: Deployment, station_id: str, before: int) -> None:
    """Have Kafka remove the first records of a station's partition, as retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.bootstrap)
    await admin.start()
    try:
        place = TopicPartition(deployment.settings.topic(TOPIC), home(deployment, station_id))
        await admin.delete_records({place: RecordsToDelete(before)})
    finally:
        await admin.close()


def last_of(worker: Worker, station_id: str) -> str:
    [connector] = worker.get(f"/v1/stations/{station_id}")[1]["connectors"]
    return str(connector["error_code"])


async def test_records_that_were_removed_while_no_worker_ran_are_told_and_are_no_crash(
    deployment: Deployment,
) -> None:
    assert home(deployment, "EV-001") != home(deployment, "EV-003")
    worker = deployment.worker().start().ready()
    await report(deployment, "EV-001", *range(5))
    await deployment.applied()
    assert worker.stop() == 0
    # given a partition of which some was read, and one of which nothing ever was
    await report(deployment, "EV-001", *range(5, 15))
    await report(deployment, "EV-003", *range(3))
    await remove(deployment, "EV-001", before=12)
    await remove(deployment, "EV-003", before=3)
    # when
    worker.start().ready()
    await deployment.applied()
    # then
    assert metric(worker, LOST) == 7 + 3
    log = worker.log(whole=True)
    topic = deployment.settings.topic(TOPIC)
    for station, lost in (("EV-001", "5 to 11"), ("EV-003", "0 to 2")):
        assert f"{topic}/{home(deployment, station)}: the offsets {lost} are lost" in log
    assert last_of(worker, "EV-001") == "E14"


async def test_records_that_were_removed_under_a_worker_that_is_too_slow_are_told(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    await report(deployment, "EV-001", *range(5))
    await deployment.applied()
    # given a worker that does not read; what it had asked for is answered before more comes
    worker.pause()
    await asyncio.sleep(1)
    await report(deployment, "EV-001", *range(5, 15))
    await remove(deployment, "EV-001", before=12)
    # when
    worker.resume()
    await deployment.applied()
    # then
    assert worker.alive
    assert metric(worker, LOST) == 7
    assert last_of(worker, "EV-001") == "E14"
    # and what comes then is read on
    await report(deployment, "EV-001", 20)
    await deployment.applied()
    assert last_of(worker, "EV-001") == "E20"
    assert metric(worker, LOST) == 7
