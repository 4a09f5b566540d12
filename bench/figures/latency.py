"""How long a record takes from the device's send until HTTP shows it, under a steady load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

from bench.large import applied
from bench.notice import Notice
from bench.paced import Paced
from bench.preload import Preloading
from bench.probes import probe_sessions, probe_statuses
from bench.programs import Job
from bench.result import Figure, at_most, shown
from bench.scene import Scene
from bench.statistics import Spread, percentile
from bench.worker import Worker

STATIONS = 2_000
WARM_UP_S = 15.0
"""As long as it takes until Kafka has compiled its code: before, it answers half as fast."""
STARTING_S = 5.0
"""Of load beyond that, for what ends late."""
PROBE_EVERY_S = 0.05

Probing = Callable[[Paced, Worker, float, float], Awaitable[list[float]]]


async def latency(scene: Scene) -> AsyncIterator[Figure]:
    """Measure a status and a session's update at a moderate rate, and an update at a high one."""
    taken = await _measure(scene, "status", 2_000, probe_statuses)
    yield at_most("status visible, 2,000 events/s, p50", percentile(taken, 50), "ms", 12)
    yield at_most("status visible, 2,000 events/s, p99", percentile(taken, 99), "ms", 30)
    repeats = scene.sizes.busy_latency_repeats
    for rate, most_ms, times in ((2_000, 80, 1), (50_000, 150, repeats)):
        runs = [await _measure(scene, "session", rate, probe_sessions) for _ in range(times)]
        what = f"session visible, {rate:,} events/s"
        half, most = (Spread.of([percentile(taken, each) for taken in runs]) for each in (50, 99))
        yield shown(f"{what}, p50", half, "ms")
        yield at_most(f"{what}, p99", most, "ms", most_ms)


async def _measure(scene: Scene, what: str, rate: int, probing: Probing) -> list[float]:
    name = scene.new_name(f"latency-{what}")
    async with AsyncExitStack() as stack:
        filling = await stack.enter_async_context(Preloading(scene.bootstrap, f"{name}.", STATIONS))
        stream = await filling.fill()
        job = Job(stream, name, scene.new_directory())
        ahead_s = WARM_UP_S + scene.sizes.latency_s + STARTING_S
        paced = Paced(scene.bootstrap, f"{name}.", filling.fleet, rate, ahead_s=ahead_s)
        worker = await stack.enter_async_context(Worker(job, scene.program_core))
        notice = stack.enter_context(Notice(f"{what} latency at {rate:,} events/s"))
        await worker.start_until_ready()
        await applied(worker.running, stream, name, notice)
        await stack.enter_async_context(paced)
        await asyncio.sleep(WARM_UP_S)
        cpu = worker.running.cpu_s()
        taken = await probing(paced, worker, scene.sizes.latency_s, PROBE_EVERY_S)
        paced.require_rate()
        used = (worker.running.cpu_s() - cpu) / scene.sizes.latency_s
        notice.done(
            f"p50 {percentile(taken, 50):.1f} ms, p99 {percentile(taken, 99):.1f} ms of"
            f" {len(taken)} probes, at {used:.0%} of the core"
        )
    await scene.forget(name)
    return taken
