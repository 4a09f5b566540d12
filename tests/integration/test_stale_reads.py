"""While a worker is away, what it owned is read from another's copy; then that one takes it over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.eventually import eventually, eventually_async
from tests.integration.deployment import Deployment, Worker, metric

pytestmark = pytest.mark.broker

STATIONS = [f"EV-{n:03}" for n in range(40)]


def status(station_id: str) -> dict[str, object]:
    return {"station_id": station_id, "timestamp": "2023-05-01T10:15:30Z", "status": "occupied"}


def session(station_id: str) -> dict[str, object]:
    return {
        "session_id": f"of-{station_id}",
        "station_id": station_id,
        "start_time": "2023-05-01T10:15:30Z",
        "end_time": "2023-05-01T12:00:00Z",
        "energy_kwh": 22.5,
    }


async def ask_all(worker: Worker) -> dict[str, tuple[int, Any]]:
    """Return the answers for every station, its sessions and its session; there has to be one."""
    paths = [
        path
        for each in STATIONS
        for path in (
            f"/v1/stations/{each}",
            f"/v1/stations/{each}/sessions",
            f"/v1/sessions/of-{each}?station_id={each}",
        )
    ]
    answers = await asyncio.gather(*(asyncio.to_thread(worker.get, path) for path in paths))
    assert {code for code, _ in answers} == {200}
    return dict(zip(paths, answers, strict=True))


def without_age(body: Any) -> Any:
    """Return an answer without what is different at another moment."""
    for plug in body.get("connectors", ()):
        plug.pop("age_s")
    return {name: value for name, value in body.items() if name != "stale"}


def counts(worker: Worker, what: str, partitions: int) -> bool:
    return metric(worker, f"evcharge_partitions_{what}") == partitions


def has_copies(worker: Worker, station_id: str) -> bool:
    """Whether both tables of a worker have what was produced of a station, its own or not."""
    path = f"/peer/stations/{station_id}"
    session_code, _ = worker.get(f"{path}/sessions/of-{station_id}?stale=1")
    code, body = worker.get(f"{path}?stale=1")
    return (session_code, code) == (200, 200) and body["status"] == "occupied"


@pytest.mark.parametrize(
    ("leave", "come_back"), [(Worker.kill, Worker.start), (Worker.pause, Worker.resume)]
)
async def test_what_a_worker_owned_stays_readable_while_it_is_away_and_as_it_comes_back(
    deployment: Deployment, leave: Callable[[Worker], None], come_back: Callable[[Worker], object]
) -> None:
    first = deployment.worker("worker-1").start().ready()
    second = deployment.worker("worker-2").start().ready()
    for worker in (first, second):
        eventually(partial(counts, worker, "owned", 4))
        eventually(partial(counts, worker, "held", 4))
    await deployment.produce("station-status", [status(each) for each in STATIONS])
    await deployment.produce("charging-sessions", [session(each) for each in STATIONS])
    await deployment.applied()
    before = await ask_all(first)
    assert not any("stale" in body for _, body in before.values())
    for each in STATIONS:
        eventually(partial(has_copies, first, each), what=f"{each} being copied")

    leave(second)

    _, listed = first.get("/v1/stations")
    away = await ask_all(first)
    assert (listed["partial"], listed["stale"]) == (False, True)
    stale = {each["station_id"] for each in listed["stations"] if "stale" in each}
    assert stale == {each for each in STATIONS if "stale" in away[f"/v1/stations/{each}"][1]}
    assert 0 < len(stale) < len(STATIONS)

    async def answers_until(owned: int) -> bool:
        await ask_all(first)
        return counts(first, "owned", owned)

    await eventually_async(partial(answers_until, 8), what="taking over")
    after = await ask_all(first)
    assert not any("stale" in body for _, body in after.values())
    for path, (_, body) in before.items():
        expected = without_age(body)
        assert without_age(away[path][1]) == expected
        assert without_age(after[path][1]) == expected

    come_back(second)

    await eventually_async(partial(answers_until, 4), what="sharing the work again")
    await ask_all(first)
    assert len(list(first.pages("/v1/stations", "stations"))) == len(STATIONS)
