"""Memory of a worker with a large fleet's state, while it makes that state and afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bench.large import large
from bench.notice import Notice
from bench.result import Figure, at_most
from bench.scene import Scene
from bench.worker import Worker

MOST_MB = 400


async def memory(scene: Scene) -> AsyncIterator[Figure]:
    """The most that was resident in catch-up from nothing, and what is after a restart."""
    state = await large(scene)
    stations = f"{scene.sizes.large_fleet:,} stations"
    with Notice(f"memory with {stations}"):
        async with Worker(state.job, scene.program_core) as worker:
            await worker.start_until_ready()
            ready_mb = worker.running.peak_mb()
    yield at_most(f"memory in catch-up, {stations}", state.catch_up_peak_mb, "MB", MOST_MB)
    yield at_most(f"memory after a restart, {stations}", ready_mb, "MB", MOST_MB)
