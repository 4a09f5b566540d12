"""Workers that come and go: who notices, and how soon."""

from __future__ import annotations

import time

import pytest

from evcharge.engine.failstop import EXIT_CODE
from tests.eventually import eventually
from tests.integration.deployment import Deployment, Worker, metric

pytestmark = pytest.mark.broker

SESSION_S = 60


def owned(worker: Worker) -> float:
    return metric(worker, "evcharge_partitions_owned")


def rebalances(worker: Worker) -> int:
    return worker.log(whole=True).count("worker ready with")


@pytest.fixture
def pair(deployment: Deployment) -> tuple[Worker, Worker]:
    """Two workers with half of the partitions each, and a session longer than any test."""
    deployment.variables["EVCHARGE_SESSION_TIMEOUT_S"] = str(SESSION_S)
    first = deployment.worker("worker-1").start().ready()
    second = deployment.worker("worker-2").start().ready()
    eventually(lambda: owned(first) == 4 and owned(second) == 4, what="an even share")
    return first, second


def test_a_worker_that_is_stopped_leaves_its_share_to_the_others_at_once(
    pair: tuple[Worker, Worker],
) -> None:
    first, second = pair
    began = time.monotonic()
    assert second.stop() == 0
    eventually(lambda: owned(first) == 8, what="taking over")
    assert time.monotonic() - began < SESSION_S / 2


def test_a_killed_worker_that_is_back_gets_its_share_and_the_others_do_not_notice(
    pair: tuple[Worker, Worker],
) -> None:
    first, second = pair
    before = rebalances(first)
    second.kill()
    second.start().ready()
    assert owned(second) == 4
    assert owned(first) == 4
    assert rebalances(first) == before


def test_a_worker_without_a_name_is_known_again_by_its_data_directory(
    deployment: Deployment,
) -> None:
    deployment.variables["EVCHARGE_SESSION_TIMEOUT_S"] = str(SESSION_S)
    worker = deployment.worker("unnamed", EVCHARGE_INSTANCE_ID="").start().ready()
    worker.kill()
    worker.start().ready()
    assert owned(worker) == 8


def test_a_killed_worker_that_is_back_at_another_address_can_be_found_there(
    deployment: Deployment,
) -> None:
    deployment.variables["EVCHARGE_SESSION_TIMEOUT_S"] = str(SESSION_S)
    first = deployment.worker("worker-1").start().ready()
    second = deployment.worker("worker-2").start().ready()
    eventually(lambda: owned(first) == 4 and owned(second) == 4, what="an even share")
    second.kill()

    moved = deployment.worker("moved", EVCHARGE_INSTANCE_ID="worker-2").start().ready()

    eventually(lambda: owned(moved) == 4, what="its share")
    eventually(lambda: first.get("/v1/stations")[1]["partial"] is False, what="first asking moved")


def test_of_two_workers_of_one_name_the_later_one_goes_on(deployment: Deployment) -> None:
    first = deployment.worker("one", EVCHARGE_INSTANCE_ID="one-name").start().ready()
    other = deployment.worker("other", EVCHARGE_INSTANCE_ID="one-name").start()

    assert first.process.wait(60) == EXIT_CODE
    why = first.log().splitlines()[-1]
    assert "another process has joined the group as one-name" in why or "taken over" in why
    eventually(lambda: other.alive and owned(other.ready()) == 8, what="the other having all")
