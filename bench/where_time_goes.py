"""`python -m bench.where_time_goes`: µs of CPU per event by room, of a worker at full load.

Runs the throughput's stream through a worker with a sampler in it, without billing and with each session
invoiced, then the mix of a large fleet; writes bench/profile.json, from which `python -m bench.page`
makes its table.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures.billing import register
from bench.figures.throughput import STATIONS
from bench.large import work_off
from bench.notice import Notice
from bench.outputs import Outputs
from bench.page import profile_table
from bench.preload import Preloading, preload
from bench.programs import Evcharge, Job, launch
from bench.race import first_and_last, follow
from bench.scene import Scene, set_scene
from bench.sizes import DEFAULT

PROFILE = Path(__file__).resolve().parent / "profile.json"

Kept = Sequence[tuple[float, dict[str, float]]]


@dataclass(frozen=True)
class Sampled(Evcharge):
    """The application with a sampler in it."""

    def command(self, job: Job) -> Sequence[str]:
        samples = str(samples_of(job))
        return [sys.executable, "-m", "bench.sampler", samples, "worker", "-l", "warn"]


def samples_of(job: Job) -> Path:
    """Return where a run's samples are."""
    return job.directory / "samples.json"


def per_event(kept: Kept, first_s: float, last_s: float, events: float) -> dict[str, float]:
    """Return µs per event by room between two times, the largest first."""
    times = [at for at, _ in kept]
    before = kept[min(bisect_left(times, first_s), len(kept) - 1)][1]
    after = kept[max(0, min(bisect_left(times, last_s), len(kept) - 1))][1]
    spent = {room: used - before.get(room, 0.0) for room, used in after.items()}
    return {
        room: seconds / events * 1e6
        for room, seconds in sorted(spent.items(), key=lambda each: -each[1])
    }


async def measure(scene: Scene) -> dict[str, dict[str, float]]:
    """Run each job once."""
    scene.use_both_cores()
    usual = await preload(scene.bootstrap, "profile.", STATIONS, scene.sizes.events)
    await register(usual)
    scene.stay_on_kafkas_core()
    found = {}
    for title, is_billing in (("billing off", False), ("invoiced", True)):
        job = Job(usual, scene.new_name("profile"), scene.new_directory())
        found[title] = await _sampled(scene, Sampled(billing=is_billing), job)
    stations = scene.sizes.large_fleet
    scene.use_both_cores()
    async with Preloading(scene.bootstrap, "large-profile.", stations) as preloading:
        filled = await preloading.fill()
        scene.stay_on_kafkas_core()
        job = Job(filled, scene.new_name("profile"), scene.new_directory())
        await work_off(scene, Evcharge(), job)
        scene.use_both_cores()
        mixed = job.over(await preloading.mix(scene.sizes.fleet_events))
        scene.stay_on_kafkas_core()
    found[f"{stations:,} stations"] = await _sampled(scene, Sampled(), mixed)
    return found


async def _sampled(scene: Scene, program: Sampled, job: Job) -> dict[str, float]:
    """Work off what is not yet done of a job."""
    stream = job.stream
    async with Outputs(stream.bootstrap, program.output_topic(job)) as outputs:
        running = await launch(program, job, core=scene.program_core)
        try:
            with Notice(f"a worker with a sampler in it: {stream.events:,} events") as notice:
                await follow(running, outputs, stream, notice)
            await running.stop()
        finally:
            await running.kill()
        first, last, share = first_and_last(outputs)
    kept = json.loads(samples_of(job).read_text(encoding="utf-8"))
    return per_event(kept, first, last, stream.mixed * share)


def main() -> None:
    """Measure, write, print."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with set_scene(DEFAULT) as scene:
        found = asyncio.run(measure(scene))
    PROFILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(profile_table(found))


if __name__ == "__main__":
    main()
