"""Whatever happens to a worker, the sessions and their energy are the same."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.integration.deployment import Deployment, Worker, metric

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


EXPECTED = (3395, 3395, Decimal("19723.69"))


async def test_the_replayed_year_has_all_sessions_and_the_known_total(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    replay(deployment)
    await deployment.applied()
    assert total(worker) == EXPECTED
    assert await deployment.records("dead-letters") == []


async def test_a_second_replay_changes_nothing(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()
    replay(deployment)
    await deployment.applied()
    assert total(worker) == EXPECTED
    one = worker.get("/v1/sessions/7093670")
    replay(deployment)
    await deployment.applied()
    assert total(worker) == EXPECTED
    assert worker.get("/v1/sessions/7093670") == one


@pytest.mark.parametrize("records_before", [1, 3_000, 9_000])
async def test_killing_a_worker_in_the_middle_of_a_replay_changes_nothing(
    deployment: Deployment, records_before: int
) -> None:
    worker = deployment.worker().start().ready()
    # A year of sessions in ten seconds: time enough to kill the worker before the end.
    replaying = deployment.background("replay", str(SESSIONS), "--speed", "3000000")
    eventually(lambda: applied(worker) >= records_before)
    worker.kill()
    assert replaying.poll() is None, "the replay ended before the kill"

    worker.start()
    assert replaying.wait(60) == 0
    worker.ready()

    await deployment.applied()
    assert total(worker) == EXPECTED


async def test_a_lost_data_directory_is_restored_from_the_changelog(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    replay(deployment)
    await deployment.applied()
    assert total(worker) == EXPECTED
    one = worker.get("/v1/sessions/7093670")
    assert worker.stop() == 0
    shutil.rmtree(deployment.directory / worker.name)

    worker.start().ready()

    assert total(worker) == EXPECTED
    assert worker.get("/v1/sessions/7093670") == one


async def test_a_topic_that_was_made_anew_is_read_from_its_beginning(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    await deployment.produce("charging-sessions", [closed(f"old-{n}") for n in range(20)], key=b"k")
    await deployment.applied()
    assert worker.stop() == 0
    await deployment.delete_topic("charging-sessions")
    assert deployment.command("topics").returncode == 0
    # More records than before: the old marker lies within the new topic.
    await deployment.produce("charging-sessions", [closed(f"new-{n}") for n in range(50)], key=b"k")

    worker.start().ready()

    await deployment.applied()
    sessions = worker.pages("/v1/stations/EV-001/sessions", "sessions")
    assert {s["session_id"] for s in sessions} == {
        *(f"old-{n}" for n in range(20)),
        *(f"new-{n}" for n in range(50)),
    }


def closed(session_id: str) -> dict[str, object]:
    return {
        "session_id": session_id,
        "station_id": "EV-001",
        "start_time": "2023-05-01T10:15:30Z",
        "end_time": "2023-05-01T12:00:00Z",
        "energy_kwh": 1,
    }


async def test_lag_is_what_waits_to_be_applied(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()
    await deployment.produce("charging-sessions", [closed("S1")])
    await deployment.applied()
    eventually(lambda: "evcharge_lag_records{" in worker.get("/metrics")[1])
    eventually(lambda: metric(worker, "evcharge_lag_records") == 0)
    worker.pause()
    await deployment.produce("charging-sessions", [closed(f"S{n}") for n in range(20_000)])
    worker.resume()
    eventually(lambda: metric(worker, "evcharge_lag_records") > 0, what="a lag being seen")
    eventually(lambda: metric(worker, "evcharge_lag_records") == 0, what="the lag being gone")
    assert applied(worker) >= 20_000


async def test_two_workers_share_the_work_and_one_goes_on_when_the_other_leaves(
    deployment: Deployment,
) -> None:
    first = deployment.worker("worker-1").start().ready()
    second = deployment.worker("worker-2").start().ready()
    eventually(lambda: owned(first) == 4 and owned(second) == 4, what="an even share")
    replay(deployment)
    await deployment.applied()
    assert total(first) == EXPECTED
    assert total(second) == EXPECTED

    assert second.stop() == 0

    eventually(lambda: owned(first) == 8, what="taking over")
    assert total(first) == EXPECTED


async def test_a_worker_without_a_partition_is_ready_and_takes_over_when_there_is_one(
    deployment: Deployment,
) -> None:
    deployment.variables["EVCHARGE_PARTITIONS"] = "1"
    first = deployment.worker("worker-1").start().ready()
    second = deployment.worker("worker-2").start().ready()
    eventually(lambda: {owned(first), owned(second)} == {0, 1}, what="one having nothing")
    await deployment.produce("charging-sessions", [closed("S1")])
    await deployment.applied()
    busy, idle = sorted([first, second], key=owned, reverse=True)

    assert busy.stop() == 0

    eventually(lambda: owned(idle) == 1, what="taking over")
    await deployment.produce("charging-sessions", [closed("S2")])
    await deployment.applied()
    assert total(idle)[0] == 2


async def test_a_killed_worker_is_replaced_by_the_other(deployment: Deployment) -> None:
    first = deployment.worker("worker-1").start().ready()
    second = deployment.worker("worker-2").start().ready()
    eventually(lambda: owned(first) == 4 and owned(second) == 4, what="an even share")
    replay(deployment)
    eventually(lambda: applied(second) > 0)

    second.kill()

    eventually(lambda: owned(first) == 8, what="taking over")
    await deployment.applied()
    assert total(first) == EXPECTED


def applied(worker: Worker) -> float:
    return metric(worker, "evcharge_records_applied_total")


def owned(worker: Worker) -> float:
    return metric(worker, "evcharge_partitions_owned")
