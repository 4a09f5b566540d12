"""A deployment with a large fleet's state, made once and used by every figure about much state."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bench.notice import Notice
from bench.preload import PARTITIONS, Preloading, Stream
from bench.processes import Running
from bench.programs import Evcharge, Job, Program, launch
from bench.progress import Commits
from bench.scene import Scene
from evcharge.errors import CommandError
from evcharge.kafka.admin import KafkaAdmin, NewTopic

LOOK_S = 0.2
SILENCE_S = 120.0
"""Kafka Streams commits every 30 s."""


@dataclass
class Large:
    """The fleet's stream and evcharge's job over it, everything applied."""

    job: Job
    catch_up_peak_mb: float
    """The most memory that the worker held while it made this state from nothing."""


async def work_off(scene: Scene, program: Program, job: Job) -> float:
    """Run a program until it has committed the whole stream, end it; return its peak memory in MB."""
    async with KafkaAdmin([job.stream.bootstrap]) as admin:
        await admin.create([NewTopic(topic, PARTITIONS, 1, {}) for topic in program.topics(job)])
    with Notice(f"{program.name} takes in {job.stream.events:,} events") as notice:
        running = await launch(program, job, core=scene.program_core)
        try:
            await applied(running, job.stream, job.name, notice)
            peak = running.peak_mb()
            await running.stop()
        finally:
            await running.kill()
    return peak


async def applied(running: Running, stream: Stream, group: str, notice: Notice) -> None:
    """Wait until a group has committed the whole stream."""
    most, since = -1, time.monotonic()
    async with Commits(stream.bootstrap, group, stream.ends) as commits:
        while (done := (await commits.now()).events) < stream.events:
            running.require()
            if done > most:
                most, since = done, time.monotonic()
                notice.progress(done)
            if time.monotonic() - since > SILENCE_S:
                raise CommandError(
                    f"{running.child.name} committed nothing for {SILENCE_S:g} s after {done} of"
                    f" {stream.events} events; its last words:\n{running.child.tail()}"
                )
            await asyncio.sleep(LOOK_S)


async def large(scene: Scene) -> Large:
    """Return the large deployment, made by the first figure that needs it."""
    if scene.large is None:
        scene.use_both_cores()
        async with Preloading(scene.bootstrap, "large.", scene.sizes.large_fleet) as preloading:
            await preloading.fill()
            stream = await preloading.mix(scene.sizes.large_fleet // 5)
        scene.stay_on_kafkas_core()
        job = Job(stream, scene.new_name("large"), scene.new_directory())
        scene.large = Large(job, await work_off(scene, Evcharge("evcharge"), job))
    return scene.large
