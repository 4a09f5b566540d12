"""What becomes of a worker whose disk is full, or whose local rows were damaged: nothing is lost."""

from __future__ import annotations

import resource
from functools import partial

import pytest

from tests.eventually import eventually
from tests.integration.deployment import Deployment, Worker

pytestmark = pytest.mark.broker

STATIONS = 4_000


def statuses(status: str) -> list[dict[str, str]]:
    return [
        {
            "station_id": f"EV-{number:04d}",
            "timestamp": f"2023-05-01T10:{'15' if status == 'free' else '20'}:30Z",
            "status": status,
        }
        for number in range(STATIONS)
    ]


def ended(worker: Worker) -> bool:
    return worker.process.poll() is not None


def stations(worker: Worker) -> dict[str, str]:
    return {
        station["station_id"]: station["status"]
        for station in worker.pages("/v1/stations", "stations")
    }


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of others: Linux only")
async def test_a_full_disk_ends_the_worker_with_one_sentence_and_nothing_is_lost(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    # given a worker that from now on cannot make any file longer than this
    most = 20_000
    resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, (most, most))
    # when more comes in
    await deployment.produce("station-status", statuses("free"))
    eventually(partial(ended, worker), what="the worker's end")
    # then
    assert worker.process.returncode == 1
    last = worker.log().rstrip("\n").rsplit("\n", 1)[-1]
    assert last.startswith("evcharge: worker stops: ")
    assert "no room is left for " in last
    assert last.endswith("make room and start the worker again, nothing is lost")
    assert "Traceback" not in worker.log(whole=True)
    # and with room again
    worker.start().ready()
    await deployment.applied()
    assert stations(worker) == {f"EV-{number:04d}": "free" for number in range(STATIONS)}


async def test_damaged_local_rows_are_dropped_and_restored(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()
    await deployment.produce("station-status", statuses("free"))
    await deployment.applied()
    worker.kill()
    # given two damaged databases
    directory = deployment.directory / worker.name
    tables = sorted(directory.rglob("station-status-*/MANIFEST-*"))
    assert len(tables) == 8
    tables[0].write_bytes(b"garbage")
    tables[1].unlink()
    # when it starts again
    worker.start().ready()
    # then
    for damaged in tables[:2]:
        assert f"the local rows in {damaged.parent} were damaged" in worker.log(whole=True)
    assert stations(worker) == {f"EV-{number:04d}": "free" for number in range(STATIONS)}
