"""Whatever happens to a worker, the sessions and their energy are the same."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.deployment import Deployment, Worker, eventually

pytestmark = pytest.mark.broker

SESSIONS = Path(__file__).parents[2] / "examples" / "workplace" / "sessions.csv"
STATIONS = Path(__file__).parents[2] / "examples" / "workplace" / "stations.json"


def replay(deployment: Deployment) -> None:
    done = deployment.command("replay", str(SESSIONS), "--speed", "0")
    assert done.returncode == 0, done.stderr


def total(worker: Worker) -> tuple[int, int, Decimal]:
    """Return sessions, completed ones and their energy, read station by station over HTTP."""
    sessions = [
        session
        for station in worker.pages("/v1/stations", "stations")
        for session in worker.pages(f"/v1/stations/{station['station_id']}/sessions", "sessions")
    ]
    completed = [s for s in sessions if s["state"] == "completed"]
    return len(sessions), len(completed), sum((s["energy_kwh"] for s in completed), Decimal(0))


def caught_up(worker: Worker) -> bool:
    """Whether nothing waits to be applied."""
    lines = [
        line
        for line in worker.get("/metrics")[1].splitlines()
        if line.startswith("evcharge_lag_records{")
    ]
    return bool(lines) and all(float(line.split()[-1]) == 0 for line in lines)


EXPECTED = (3395, 3395, Decimal("19723.69"))


async def test_the_replayed_year_has_all_sessions_and_the_known_total(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    replay(deployment)
    eventually(lambda: caught_up(worker) and total(worker) == EXPECTED, what="the whole year")
    assert await deployment.records("dead-letters") == []


async def test_a_second_replay_changes_nothing(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()
    replay(deployment)
    eventually(lambda: caught_up(worker) and total(worker) == EXPECTED)
    one = worker.get("/v1/sessions/7093670")
    replay(deployment)
    eventually(lambda: caught_up(worker))
    assert total(worker) == EXPECTED
    assert worker.get("/v1/sessions/7093670") == one


@pytest.mark.parametrize("records_before", [1, 3_000, 9_000])
async def test_killing_a_worker_in_the_middle_of_a_replay_changes_nothing(
    deployment: Deployment, records_before: int
) -> None:
    worker = deployment.worker().start().ready()
    replaying = deployment.background("replay", str(SESSIONS), "--speed", "10000000")
    eventually(lambda: applied(worker) >= records_before)
    worker.kill()
    assert replaying.poll() is None, "the replay ended before the kill"

    worker.start()
    assert replaying.wait(60) == 0
    worker.ready()

    eventually(lambda: caught_up(worker) and total(worker) == EXPECTED, what="the whole year")


async def test_a_lost_data_directory_is_restored_from_the_changelog(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    replay(deployment)
    eventually(lambda: caught_up(worker) and total(worker) == EXPECTED)
    one = worker.get("/v1/sessions/7093670")
    assert worker.stop() == 0
    shutil.rmtree(deployment.directory / worker.name)

    worker.start().ready()

    assert total(worker) == EXPECTED
    assert worker.get("/v1/sessions/7093670") == one


async def test_two_workers_share_the_work_and_one_goes_on_when_the_other_leaves(
    deployment: Deployment,
) -> None:
    first = deployment.worker("worker-1").start().ready()
    second = deployment.worker("worker-2").start().ready()
    eventually(lambda: owned(first) == 4 and owned(second) == 4, what="an even share")
    replay(deployment)
    eventually(lambda: caught_up(first) and caught_up(second) and total(first) == EXPECTED)
    assert total(second) == EXPECTED

    assert second.stop() == 0

    eventually(lambda: owned(first) == 8, what="taking over")
    assert total(first) == EXPECTED


async def test_a_killed_worker_is_replaced_by_the_other(deployment: Deployment) -> None:
    first = deployment.worker("worker-1").start().ready()
    second = deployment.worker("worker-2").start().ready()
    eventually(lambda: owned(first) == 4 and owned(second) == 4, what="an even share")
    replay(deployment)
    eventually(lambda: applied(second) > 0)

    second.kill()

    eventually(lambda: owned(first) == 8, what="taking over")
    eventually(lambda: caught_up(first) and total(first) == EXPECTED, what="the whole year")


def metric(worker: Worker, name: str) -> float:
    """Return the sum of a metric over its labels."""
    return sum(
        float(line.split()[-1])
        for line in worker.get("/metrics")[1].splitlines()
        if line.startswith((f"{name}{{", f"{name} "))
    )


def applied(worker: Worker) -> float:
    return metric(worker, "evcharge_records_applied_total")


def owned(worker: Worker) -> float:
    return metric(worker, "evcharge_partitions_owned")
