"""How long a killed worker's stations stand still before another worker goes on with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from bench.events import Topic
from bench.notice import Notice
from bench.paced import Paced
from bench.preload import PARTITIONS, Preloading
from bench.probes import shows_status, status
from bench.programs import Job
from bench.result import Figure, at_most
from bench.scene import Scene
from bench.statistics import Spread
from bench.worker import Worker
from evcharge.errors import CommandError
from evcharge.kafka.partitioning import partition_of

STATIONS = 2_000
RATE = 2_000
SESSION_TIMEOUT_S = 6
MOST_S = 1.5
PATIENCE_S = 60.0


async def takeover(scene: Scene) -> AsyncIterator[Figure]:
    """Kill one of two workers under load; wait until the other shows news of every partition."""
    seconds = [await _takeover(scene) for _ in range(scene.sizes.takeovers)]
    yield at_most(
        f"take-over after kill -9, beyond the {SESSION_TIMEOUT_S} s",
        Spread.of(seconds),
        "s",
        MOST_S,
    )


async def _takeover(scene: Scene) -> float:
    name = scene.new_name("takeover")
    timeout = {"EVCHARGE_SESSION_TIMEOUT_S": str(SESSION_TIMEOUT_S)}
    async with AsyncExitStack() as stack:
        filling = await stack.enter_async_context(Preloading(scene.bootstrap, f"{name}.", STATIONS))
        job = Job(await filling.fill(), name, scene.new_directory())
        notice = stack.enter_context(Notice("take-over after kill -9"))
        workers = [
            await stack.enter_async_context(Worker(job, scene.program_core, each, timeout))
            for each in ("first", "second")
        ]
        for worker in workers:
            await worker.start_until_ready()
        await share(workers)
        paced = await stack.enter_async_context(
            Paced(scene.bootstrap, f"{name}.", filling.fleet, RATE)
        )
        await asyncio.sleep(3)
        first, second = workers
        killed = time.monotonic()
        await first.running.kill()
        beyond = await _news_of_all(paced, second) - killed - SESSION_TIMEOUT_S
        notice.done(f"{beyond:.2f} s beyond the session timeout")
    await scene.forget(name)
    return beyond


async def share(workers: list[Worker]) -> None:
    """Wait until each has its part, and all parts are taken."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        parts = [await worker.partitions() for worker in workers]
        if all(parts) and sum(len(part or ()) for part in parts) == PARTITIONS:
            return
        await asyncio.sleep(0.1)
    raise CommandError(f"the workers did not share the partitions within {PATIENCE_S:g} s")


async def _news_of_all(paced: Paced, worker: Worker) -> float:
    """Return when the worker had shown, of each partition, a record that was sent after the start."""

    async def news(station: str) -> float:
        for number in range(int(PATIENCE_S / 0.05)):
            mark = f"n{number}"
            await paced.probe(Topic.STATUS, station.encode(), status(station, mark))
            body = await worker.get(f"/v1/stations/{station}")
            if body is not None and any(
                shows_status(f"n{sent}")(body) for sent in range(number + 1)
            ):
                return time.monotonic()
            await asyncio.sleep(0.05)
        raise CommandError(f"no news of {station} within {PATIENCE_S:g} s")

    return max(await asyncio.gather(*map(news, one_of_each_partition())))


def one_of_each_partition() -> list[str]:
    """Return ids of stations, the n-th of partition n."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < PARTITIONS:
        station = f"PROBE-{number}"
        found.setdefault(partition_of(station.encode(), PARTITIONS), station)
        number += 1
    return [found[partition] for partition in range(PARTITIONS)]
