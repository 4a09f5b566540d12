"""Throughput with more stations, whose state is there before: keys repeat less, caches help less."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace

from bench.figures.throughput import GUARANTEES, compared, warm_up
from bench.large import Large, work_off
from bench.peers.roster import KafkaStreams
from bench.preload import Preloading
from bench.programs import Evcharge, Job, Program
from bench.race import Lap, lap
from bench.result import Figure, at_least, shown
from bench.scene import Scene
from bench.statistics import Spread

LEAST = {20_000: 80_000, 1_000_000: 50_000}
"""Events per second that evcharge must reach with so many stations."""

RATIOS = {"Kafka Streams": 1.5, "Kafka Streams, exactly once": 2.0}


async def fleets(scene: Scene) -> AsyncIterator[Figure]:
    """Fill each fleet's state with every program; then load the mix in parts, and race over each."""
    streams = KafkaStreams.compiled(scene.new_directory(), await warm_up(scene))
    programs: list[tuple[Program, Program]] = [
        (Evcharge(), Evcharge()),
        *((streams.filling(each), streams.peer(each)) for each in GUARANTEES),
    ]
    for stations, repeats in scene.sizes.fleets:
        for figure in await _fleet(scene, stations, repeats, programs):
            yield figure


async def _fleet(
    scene: Scene, stations: int, repeats: int, programs: list[tuple[Program, Program]]
) -> list[Figure]:
    laps: dict[str, list[Lap]] = {}
    jobs: dict[str, Job] = {}
    peaks: dict[str, float] = {}
    scene.use_both_cores()
    async with Preloading(scene.bootstrap, f"fleet-{stations}.", stations) as preloading:
        filled = await preloading.fill()
        scene.stay_on_kafkas_core()
        for filling, program in programs:
            job = Job(filled, scene.new_name(program.name), scene.new_directory())
            peaks[program.name] = await work_off(scene, filling, job)
            jobs[program.name] = job
        stream = filled
        for _ in range(repeats):
            before = stream
            scene.use_both_cores()
            stream = await preloading.mix(scene.sizes.fleet_events)
            scene.stay_on_kafkas_core()
            ended = stream.ended - before.ended
            part = replace(stream, filled=before.events, ended=ended)
            for _, program in programs:
                run = await lap(scene, program, jobs[program.name].over(part))
                laps.setdefault(program.name, []).append(run)
                peaks[program.name] = max(peaks[program.name], run.peak_mb)
    for name, job in jobs.items():
        if name == "evcharge" and stations == scene.sizes.large_fleet:
            # The figures about much state go on with it.
            scene.large = Large(job.over(stream), peaks[name])
            continue
        shutil.rmtree(job.directory, ignore_errors=True)
        await scene.forget(job.name)
    where = f", {stations:,} stations"
    return [
        *compared(laps, RATIOS, where=where),
        *(_rate(name, runs, stations, where) for name, runs in laps.items()),
    ]


def _rate(name: str, runs: list[Lap], stations: int, where: str) -> Figure:
    title, rate = f"{name}{where}", Spread.of([run.rate for run in runs])
    if name == "evcharge" and stations in LEAST:
        return at_least(title, rate, "events/s", LEAST[stations])
    return shown(title, rate, "events/s")
