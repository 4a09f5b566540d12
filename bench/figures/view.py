"""How quickly a station is shown while the worker works off a backlog as fast as it can."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from bench.events import station_id
from bench.notice import Notice
from bench.outputs import Outputs
from bench.preload import preload
from bench.programs import Evcharge, Job
from bench.result import Figure, at_most, shown
from bench.scene import Scene
from bench.statistics import percentile
from bench.worker import Worker

STATIONS = 2_000
ASK_EVERY_S = 0.02
MOST_MS = 250


async def view(scene: Scene) -> AsyncIterator[Figure]:
    """Ask for one station after the other until the backlog is gone."""
    scene.use_both_cores()
    stream = await preload(scene.bootstrap, "view.", STATIONS, scene.sizes.events)
    scene.stay_on_kafkas_core()
    job = Job(stream, scene.new_name("view"), scene.new_directory())
    taken: list[float] = []
    async with AsyncExitStack() as stack:
        notice = stack.enter_context(Notice("view of a station under full load"))
        output = Evcharge().output_topic(job)
        outputs = await stack.enter_async_context(Outputs(scene.bootstrap, output))
        worker = await stack.enter_async_context(Worker(job, scene.program_core))
        await worker.start_until_ready()
        while await outputs.size() < 0.95 * stream.ended:
            for _ in range(10):
                path = f"/v1/stations/{station_id(len(taken) % STATIONS)}"
                began = time.monotonic()
                body = await worker.get(path)
                if body is not None:
                    # Before a station's first record is applied there is nothing to show.
                    taken.append((time.monotonic() - began) * 1000)
                await asyncio.sleep(ASK_EVERY_S)
            worker.running.require()
        notice.done(f"p99 {percentile(taken, 99):.0f} ms of {len(taken)} answers")
    await scene.forget(job.name)
    yield shown("view of a station at saturation, p50", percentile(taken, 50), "ms")
    yield at_most("view of a station at saturation, p99", percentile(taken, 99), "ms", MOST_MS)
