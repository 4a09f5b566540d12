"""A worker that cannot do its work ends with one sentence that says why, and soon."""

from __future__ import annotations

import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from evcharge.broker import KafkaCluster
from evcharge.broker.ports import free_port
from tests.eventually import eventually
from tests.integration.deployment import Deployment
from tests.integration.test_first_events import STATUS, look

pytestmark = pytest.mark.broker


def refused(deployment: Deployment) -> str:
    """Run a worker that ends by itself, return its last word."""
    began = time.monotonic()
    deployment.variables["EVCHARGE_WEB_PORT"] = str(free_port())
    ended: subprocess.CompletedProcess[str] = deployment.command("worker", "-l", "info")
    assert ended.returncode == 1
    assert time.monotonic() - began < 40
    assert "Traceback" not in ended.stderr
    return ended.stderr.rstrip("\n").rsplit("\n", 1)[-1]


def test_without_a_broker(deployment: Deployment) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    deployment.variables["EVCHARGE_BROKER"] = f"kafka://{nobody}"

    assert refused(deployment) == (
        f"evcharge: worker stops: Kafka at {nobody} (EVCHARGE_BROKER) did not answer within 10 s:"
        " is it running?"
    )


def test_with_another_number_of_partitions(deployment: Deployment) -> None:
    assert deployment.command("topics").returncode == 0
    deployment.variables["EVCHARGE_PARTITIONS"] = "4"

    sentence = refused(deployment)

    status = deployment.settings.topic("station-status")
    assert f"the topic {status} has 8 partition(s), expected 4" in sentence
    assert "EVCHARGE_PARTITIONS" in sentence


async def test_in_the_data_directory_of_another_worker(deployment: Deployment) -> None:
    first = deployment.worker("worker-1").start().ready()
    deployment.variables["EVCHARGE_DATA_DIR"] = str(deployment.directory / first.name)
    deployment.variables["EVCHARGE_INSTANCE_ID"] = "worker-2"

    sentence = refused(deployment)

    assert sentence.startswith("evcharge: worker stops: ")
    assert sentence.endswith(
        "is in use by another process: give every worker its own EVCHARGE_DATA_DIR"
    )
    # The first has not noticed, but for the group's rebalances.
    await deployment.produce("station-status", [STATUS])
    eventually(partial(look, first, "/v1/stations/EV-001"))


def test_a_worker_ends_in_time_although_kafka_is_gone(tmp_path: Path) -> None:
    with KafkaCluster(port=0) as kafka, Deployment(kafka.bootstrap, "gone", tmp_path) as deployment:
        worker = deployment.worker().start().ready()
        kafka.pause(1)
        assert worker.get("/healthz")[0] == 200
        began = time.monotonic()
        worker.process.terminate()
        worker.process.wait(40)
        assert time.monotonic() - began < 30
        kafka.resume(1)
