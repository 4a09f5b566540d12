"""One program over one preloaded stream: how many events it works off in a second.

The clock is Kafka's own: the append times of the outputs, from the first one to the last. A session ends
every twenty events until the very end, so these are the times at which the program began and finished;
its start-up is not in it. Then it is asked to end, and what it takes from there until its group has
committed the whole stream, both topics, is added: state that is still in a cache has not been kept yet.
A program that has committed everything by then adds nothing. One output for each ended session must be
there. So no program grades itself, each keeps its default commit interval, and neither leaving something
out nor putting it off is a way to win.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from bisect import bisect_right
from dataclasses import dataclass

from bench.notice import Notice
from bench.outputs import Outputs
from bench.preload import PARTITIONS, Stream
from bench.processes import Running
from bench.programs import Job, Program, launch
from bench.progress import Commits
from bench.scene import Scene
from evcharge.errors import CommandError
from evcharge.kafka.admin import KafkaAdmin, NewTopic

LOOK_S = 0.1
KEEP_LOOK_S = 0.02
SILENCE_S = 90.0
"""A program that writes nothing for as long has failed."""


@dataclass(frozen=True)
class Lap:
    """What one run showed."""

    program: str
    events: float
    """Events worked off between the first output and the last."""
    seconds: float
    cpu_s: float
    repeated: int
    """Outputs that say what another one says (at-least-once programs may)."""
    peak_mb: float

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Events per second of CPU: hardly changes when something else runs on the machine."""
        return self.events / self.cpu_s


async def race(scene: Scene, program: Program, stream: Stream) -> Lap:
    """Run a program over a stream once, from nothing.

    Raises:
        CommandError: it ended, came to a stop, or did not do the whole job.
    """
    job = Job(stream, scene.new_name(program.name), scene.new_directory())
    try:
        return await lap(scene, program, job)
    finally:
        shutil.rmtree(job.directory, ignore_errors=True)
        await scene.forget(job.name)


async def lap(scene: Scene, program: Program, job: Job) -> Lap:
    """Run a program over what is not yet done of a job; it goes on with the state that it has."""
    stream = job.stream
    async with KafkaAdmin([stream.bootstrap]) as admin:
        own = [NewTopic(topic, PARTITIONS, 1, {}) for topic in program.topics(job)]
        await admin.create(own)
    with Notice(f"{program.name}, {stream.events:,} events") as notice:
        async with Outputs(stream.bootstrap, program.output_topic(job)) as outputs:
            running = await launch(program, job, core=scene.program_core)
            try:
                cpu = await follow(running, outputs, stream, notice)
                peak = running.peak_mb()
                kept = await _keep(running, job)
            finally:
                await running.kill()
            if await outputs.read() != stream.ended:
                raise CommandError(
                    f"{program.name} wrote {outputs.distinct} outputs of {stream.ended} ended sessions"
                )
            result = _lap(program, stream, outputs, cpu, kept, peak)
        notice.done(f"{result.rate:,.0f} events/s, {result.cpu_rate:,.0f} per CPU-second")
    return result


async def follow(
    running: Running, outputs: Outputs, stream: Stream, notice: Notice
) -> list[tuple[float, float]]:
    """Wait for the last output; return what CPU had been used at which time."""
    cpu: list[tuple[float, float]] = []
    size, since = 0, time.monotonic()
    while True:
        cpu.append((time.time(), running.cpu_s()))
        grown = await outputs.size()
        if grown > size:
            size, since = grown, time.monotonic()
            notice.progress(min(stream.events, size * stream.events // stream.ended))
        if size >= stream.ended and await outputs.read() >= stream.ended:
            return cpu
        running.require()
        if time.monotonic() - since > SILENCE_S:
            raise CommandError(
                f"{running.child.name} wrote nothing for {SILENCE_S:g} s after {size} of"
                f" {stream.ended} outputs; its last words:\n{running.child.tail()}"
            )
        await asyncio.sleep(LOOK_S)


async def _keep(running: Running, job: Job) -> tuple[float, float]:
    """End a program; return the seconds, and those of CPU, until it had committed everything.

    Raises:
        CommandError: it has ended without.
    """
    stream = job.stream
    async with Commits(stream.bootstrap, job.name, stream.ends) as commits:
        seconds = cpu_s = 0.0
        if (await commits.now()).events < stream.events:
            began, used = time.monotonic(), running.cpu_s()
            running.terminate()
            while running.child.running:
                if (await commits.now()).events >= stream.events:
                    break
                await asyncio.sleep(KEEP_LOOK_S)
            seconds, cpu_s = time.monotonic() - began, running.cpu_s() - used
        await running.stop()
        done = await commits.now()
    if done.events < stream.events:
        raise CommandError(
            f"{running.child.name} has committed {done} of {stream.events} events with its last"
            " output: it did not do the whole job"
        )
    return seconds, cpu_s


def _lap(
    program: Program,
    stream: Stream,
    outputs: Outputs,
    cpu: list[tuple[float, float]],
    kept: tuple[float, float],
    peak_mb: float,
) -> Lap:
    first, last, share = first_and_last(outputs)
    return Lap(
        program.name,
        stream.mixed * share,
        last - first + kept[0],
        cpu_at(cpu, last) - cpu_at(cpu, first) + kept[1],
        outputs.records - outputs.distinct,
        peak_mb,
    )


def first_and_last(outputs: Outputs) -> tuple[float, float, float]:
    """Return when the first and the last output were appended, and the share of all behind the first.

    What the first append carried was worked off before it.
    """
    times = outputs.append_times_ms()
    return times[0] / 1000, times[-1] / 1000, 1 - bisect_right(times, times[0]) / len(times)


def cpu_at(samples: list[tuple[float, float]], at_s: float) -> float:
    """Return the CPU used at a time, between two samples as if it were used evenly."""
    after = bisect_right(samples, (at_s, float("inf")))
    if after == 0:
        return samples[0][1]
    if after == len(samples):
        return samples[-1][1]
    (before_s, before), (after_s, used) = samples[after - 1], samples[after]
    return before + (used - before) * (at_s - before_s) / (after_s - before_s)
