"""What sharing the work costs: CPU time of two workers together against that of one.

They share a core, and two busy processes on one core cost each other its caches. What that is shows in
two workers of deployments of their own, each with half of the stations and of the events: they share the
core and no work.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from bench.figures.takeover import share
from bench.large import applied
from bench.notice import Notice
from bench.preload import Preloading
from bench.programs import Job
from bench.result import Figure, at_most, shown
from bench.scene import Scene
from bench.statistics import Spread, ratios
from bench.worker import Worker

STATIONS = 2_000
MOST = 1.15

ONE = (("alone",),)
TWO = (("first", "second"),)
APART = (("alone",), ("alone",))


async def workers(scene: Scene) -> AsyncIterator[Figure]:
    """Work the same events off with one worker, with two, and with two that share nothing, in turn."""
    used: defaultdict[tuple[tuple[str, ...], ...], list[float]] = defaultdict(list)
    for _ in range(scene.sizes.workers_repeats):
        for deployments in (ONE, TWO, APART):
            used[deployments].append(await _cpu_s_per_million(scene, deployments))
    one, two, apart = used[ONE], used[TWO], used[APART]
    yield at_most("CPU time of two workers / of one", ratios(two, one), "x", MOST)
    yield shown("CPU time of two workers that share no work / of one", ratios(apart, one), "x")
    yield shown("CPU time of two workers / of two that share no work", ratios(two, apart), "x")
    yield shown("CPU time, one worker", Spread.of(one), "s per million events")
    yield shown("CPU time, two workers together", Spread.of(two), "s per million events")


async def _cpu_s_per_million(scene: Scene, deployments: tuple[tuple[str, ...], ...]) -> float:
    """Have the workers of deployments work off a backlog that they all see at once.

    They wait, ready, while it is loaded, a part for each deployment, in one transaction each: nobody
    sees it before it is committed.
    """
    events = scene.sizes.workers_events // len(deployments)
    stations = STATIONS // len(deployments)
    jobs: list[Job] = []
    members: list[Worker] = []
    async with AsyncExitStack() as stack:
        fillings = []
        for names in deployments:
            name = scene.new_name("workers")
            filling = Preloading(scene.bootstrap, f"{name}.", stations, transactional=True)
            fillings.append(await stack.enter_async_context(filling))
            jobs.append(Job(await filling.fill(), name, scene.new_directory()))
            own = [
                await stack.enter_async_context(Worker(jobs[-1], scene.program_core, each))
                for each in names
            ]
            for worker in own:
                await worker.start_until_ready()
            await share(own)
            members += own
        streams = [await filling.mix(events) for filling in fillings]
        total = events * len(deployments)
        notice = stack.enter_context(Notice(f"{len(members)} worker(s), {total:,} events"))
        before = sum(worker.running.cpu_s() for worker in members)
        began = time.monotonic()
        await asyncio.gather(*(filling.commit() for filling in fillings))
        for job, stream in zip(jobs, streams, strict=True):
            await applied(members[0].running, stream, job.name, notice)
        used = sum(worker.running.cpu_s() for worker in members) - before
        notice.done(f"{used:.1f} s of CPU in {time.monotonic() - began:.1f} s")
    for job in jobs:
        await scene.forget(job.name)
    return used / total * 1e6
