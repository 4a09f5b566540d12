"""What sharing the work costs: CPU time of two workers together against that of one."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from bench.figures.takeover import share
from bench.large import applied
from bench.notice import Notice
from bench.preload import Preloading
from bench.programs import Job
from bench.result import Figure, at_most, shown
from bench.scene import Scene
from bench.worker import Worker

STATIONS = 2_000
MOST = 1.15


async def workers(scene: Scene) -> AsyncIterator[Figure]:
    """Work the same events off with one worker and with two."""
    one = await _cpu_s_per_million(scene, ["alone"])
    two = await _cpu_s_per_million(scene, ["first", "second"])
    yield at_most("CPU time of two workers / of one", two / one, "x", MOST)
    yield shown("CPU time, one worker", one, "s per million events")
    yield shown("CPU time, two workers together", two, "s per million events")


async def _cpu_s_per_million(scene: Scene, names: list[str]) -> float:
    """Have workers work off a backlog that they all see at once.

    They wait, ready, while it is loaded in one transaction: nobody sees it before it is committed.
    """
    name = scene.new_name("workers")
    events = scene.sizes.workers_events
    async with AsyncExitStack() as stack:
        filling = await stack.enter_async_context(
            Preloading(scene.bootstrap, f"{name}.", STATIONS, transactional=True)
        )
        job = Job(await filling.fill(), name, scene.new_directory())
        members = [
            await stack.enter_async_context(Worker(job, scene.program_core, each)) for each in names
        ]
        for worker in members:
            await worker.start_until_ready()
        await share(members)
        stream = await filling.mix(events)
        notice = stack.enter_context(Notice(f"{len(names)} worker(s), {events:,} events"))
        before = sum(worker.running.cpu_s() for worker in members)
        began = time.monotonic()
        await filling.commit()
        await applied(members[0].running, stream, name, notice)
        used = sum(worker.running.cpu_s() for worker in members) - before
        notice.done(f"{used:.1f} s of CPU in {time.monotonic() - began:.1f} s")
    await scene.forget(name)
    return used / events * 1e6
