"""A worker that gets nowhere ends; one whose Kafka is away waits, and says that it is not ready."""

from __future__ import annotations

import time

import pytest

from evcharge.broker import KafkaCluster
from evcharge.engine.failstop import EXIT_CODE
from evcharge.kafka.partitioning import partition_of
from tests.eventually import eventually
from tests.integration.deployment import Deployment, Worker, metric

pytestmark = pytest.mark.broker

STALL_S = 10


def status(station: str) -> dict[str, str]:
    return {"station_id": station, "timestamp": "2023-05-01T10:15:30Z", "status": "free"}


async def test_a_worker_whose_writes_are_never_answered_ends_and_says_so(
    deployment: Deployment,
) -> None:
    worker = deployment.worker(EVCHARGE_STALL_S=str(STALL_S))
    worker.start("tests.integration.stuck_worker").ready()

    await deployment.produce("station-status", [status("EV-001")], key=b"EV-001")

    assert worker.process.wait(10 * STALL_S) == EXIT_CODE
    assert "worker stops: nothing of" in worker.log()
    home = partition_of(b"EV-001", deployment.settings.partitions)
    assert f"station-status/{home} behind offset 0" in worker.log()


async def test_a_worker_without_kafka_waits_and_is_not_ready(
    kafka: KafkaCluster, deployment: Deployment
) -> None:
    worker = (
        deployment.worker(EVCHARGE_STALL_S=str(STALL_S), EVCHARGE_SESSION_TIMEOUT_S="2")
        .start()
        .ready()
    )
    await deployment.produce("station-status", [status(f"EV-{n}") for n in range(100)])
    await deployment.applied()
    kafka.pause(1)
    try:
        eventually(lambda: worker.get("/readyz")[0] == 503, what="not being ready any more")
        assert worker.get("/healthz")[0] == 200
        assert worker.get("/v1/stations/EV-1")[0] == 200, "what is known is still told"
        began = metric(worker, "process_start_time_seconds")
        outlast(worker, 2 * STALL_S)
    finally:
        kafka.resume(1)

    worker.ready()
    await deployment.produce("station-status", [status(f"EX-{n}") for n in range(100)])
    await deployment.applied()
    assert metric(worker, "process_start_time_seconds") == began


def outlast(worker: Worker, seconds: float) -> None:
    """Return after so long, the worker being alive all the time."""
    until = time.monotonic() + seconds

    def over() -> bool:
        assert worker.alive, worker.log()
        return time.monotonic() > until

    eventually(over)
