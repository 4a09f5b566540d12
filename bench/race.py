"""One program over one preloaded stream: how many events it makes durable in a second.

The clock runs between two of the program's own commits as Kafka shows them: from the first one seen
(behind the warm-up, where there is one) to the one that covers everything. So neither its start nor a
look in between counts, and no program grades itself.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import dataclass

from bench.notice import Notice
from bench.outputs import OutputTopic
from bench.preload import PARTITIONS, Stream
from bench.processes import Running, start
from bench.programs import Job, Program
from bench.progress import Commits, Progress
from bench.scene import Scene
from evcharge.errors import CommandError
from evcharge.kafka.admin import KafkaAdmin, NewTopic

LOOK_S = 0.05
SILENCE_S = 90.0
"""A program that commits nothing new for as long has failed."""


@dataclass(frozen=True)
class Mark:
    """A commit as it was seen."""

    at_s: float
    cpu_s: float
    progress: Progress


@dataclass(frozen=True)
class Lap:
    """What one run showed."""

    program: str
    events: int
    """Events that were counted: those behind the warm-up."""
    seconds: float
    cpu_s: float
    status_share: float
    """Of the counted events: the mix must be the stream's, or another job was measured."""
    repeated: int
    """Outputs that say what another one says (at-least-once programs may)."""
    peak_mb: float

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Events per second of CPU."""
        return self.events / self.cpu_s


async def race(scene: Scene, program: Program, stream: Stream, warm_up: float = 0.0) -> Lap:
    """Run a program over a stream once; the first part of its events, `warm_up`, is not counted.

    Raises:
        CommandError: it ended, came to a stop, or did not do the whole job.
    """
    job = Job(stream, scene.new_name(program.name), scene.new_directory())
    topic = program.output_topic(job)
    async with KafkaAdmin([stream.bootstrap]) as admin:
        if topic.startswith(job.name):
            await admin.create([NewTopic(topic, PARTITIONS, 1, {})])
    outputs = OutputTopic(stream.bootstrap, topic)
    await outputs.mark()
    with Notice(f"{program.name}, {stream.events:,} events") as notice:
        running = await start(
            job.name,
            program.command(job),
            program.variables(job),
            core=scene.program_core,
            directory=job.directory,
        )
        try:
            marks = await _follow(running, job, notice)
            peak = running.peak_mb()
            repeated = await _require_outputs(outputs, program, stream)
        finally:
            await running.kill()
            shutil.rmtree(job.directory, ignore_errors=True)
            await scene.forget(job.name)
        lap = _lap(program, marks, warm_up, repeated, peak)
        notice.done(f"{lap.rate:,.0f} events/s, {lap.cpu_rate:,.0f} per CPU-second")
    return lap


async def _follow(running: Running, job: Job, notice: Notice) -> list[Mark]:
    """Return each new commit up to the one that covers the stream."""
    stream = job.stream
    marks: list[Mark] = []
    async with Commits(stream.bootstrap, job.name, stream.ends) as commits:
        since = time.monotonic()
        while not marks or marks[-1].progress.events < stream.events:
            progress = await commits.now()
            now = time.monotonic()
            if progress.events > (marks[-1].progress.events if marks else 0):
                marks.append(Mark(now, running.cpu_s(), progress))
                notice.progress(progress.events)
                since = now
            running.require()
            if now - since > SILENCE_S:
                raise CommandError(
                    f"{running.child.name} committed nothing new for {SILENCE_S:g} s at"
                    f" {progress}; its last words:\n{running.child.tail()}"
                )
            await asyncio.sleep(LOOK_S)
    return marks


async def _require_outputs(outputs: OutputTopic, program: Program, stream: Stream) -> int:
    """Return how many outputs are repeats; CommandError if there is not one of each session."""
    found = await outputs.count()
    if found.distinct != stream.ended:
        raise CommandError(
            f"{program.name} wrote {found.distinct} outputs of {stream.ended} ended sessions: it did"
            " not do the job"
        )
    return found.records - found.distinct


def _lap(
    program: Program, marks: list[Mark], warm_up: float, repeated: int, peak_mb: float
) -> Lap:
    last = marks[-1]
    first = next(each for each in marks if each.progress.events >= warm_up * last.progress.events)
    if first is last:
        raise CommandError(f"{program.name} committed only once: nothing can be measured between")
    events = last.progress.events - first.progress.events
    status = last.progress.status - first.progress.status
    return Lap(
        program.name,
        events,
        last.at_s - first.at_s,
        last.cpu_s - first.cpu_s,
        status / events,
        repeated,
        peak_mb,
    )
