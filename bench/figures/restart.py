"""How long a killed worker takes from its restart until it is ready, with much local state."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bench.large import large
from bench.notice import Notice
from bench.result import Figure, at_most
from bench.scene import Scene
from bench.worker import Worker

MOST_S = 4.0


async def restart(scene: Scene) -> AsyncIterator[Figure]:
    """Kill a worker that is ready, start it again at once, ask until it is ready."""
    state = await large(scene)
    stations = f"{scene.sizes.large_fleet:,} stations"
    with Notice(f"restart with {stations}"):
        async with Worker(state.job, scene.program_core) as worker:
            await worker.start_until_ready()
            await worker.running.kill()
            seconds = await worker.start_until_ready()
    yield at_most(f"restart of a killed worker to ready, {stations}", seconds, "s", MOST_S)
