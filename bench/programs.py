"""The program and its peers: how each is started over a stream, and where its results are."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from bench.preload import Stream
from bench.processes import Running, start
from evcharge.broker.ports import free_port


@dataclass(frozen=True)
class Job:
    """One run of a program over a stream; nothing of it is there before."""

    stream: Stream
    name: str
    """Of the run: its consumer group and the first part of its internal topics."""
    directory: Path
    """For the program's local state."""

    def over(self, stream: Stream) -> Job:
        """Return the same job over the same topics, to which more was appended since."""
        return replace(self, stream=stream)


class Program(Protocol):
    """Something that does the job."""

    @property
    def name(self) -> str:
        """What it is called in the table."""

    def command(self, job: Job) -> Sequence[str]:
        """Return the command that runs it in the foreground."""

    def variables(self, job: Job) -> Mapping[str, str]:
        """Return the environment variables that it is started with."""

    def output_topic(self, job: Job) -> str:
        """Return the topic with one record for each ended session."""

    def topics(self, job: Job) -> Sequence[str]:
        """Return the topics that must be made for it before it starts."""


async def launch(program: Program, job: Job, *, core: int) -> Running:
    """Start a program over a job on a core."""
    return await start(
        job.name, program.command(job), program.variables(job), core=core, directory=job.directory
    )


@dataclass(frozen=True)
class Evcharge:
    """The application itself, as its users start it."""

    name: str = "evcharge"
    instance: str = "bench"
    """Its `EVCHARGE_INSTANCE_ID`; also part of where its state is."""
    billing: bool = False
    """Whether it bills: no peer does, so that is a figure of its own."""

    def state(self, job: Job) -> Path:
        """Return where its local state is."""
        return job.directory / f"state-{self.instance}"

    def command(self, job: Job) -> Sequence[str]:
        return [sys.executable, "-m", "evcharge", "worker", "-l", "warn"]

    def variables(self, job: Job) -> Mapping[str, str]:
        return {
            **job.stream.variables,
            "EVCHARGE_APP_ID": job.name,
            "EVCHARGE_INSTANCE_ID": self.instance,
            "EVCHARGE_DATA_DIR": str(self.state(job)),
            "EVCHARGE_WEB_PORT": str(free_port()),
            "EVCHARGE_BILLING": "on" if self.billing else "off",
        }

    def output_topic(self, job: Job) -> str:
        return f"{job.stream.prefix}sealed-sessions"

    def topics(self, job: Job) -> Sequence[str]:
        # It has made its own before the stream could be loaded.
        return ()


@dataclass(frozen=True)
class Peer:
    """Another program that does the job, told where by arguments that all peers share."""

    name: str
    start: tuple[str, ...]
    """The command, without what it is told about the job."""
    guarantee: str
    """``at-least-once`` or ``exactly-once``."""
    warm_up: Stream | None = None
    """A stream that it works off first, in the same process, before it begins with the job."""
    changelogs: tuple[str, ...] = ()
    """Internal topics that it does not find if it makes them itself at its start (Faust)."""

    def command(self, job: Job) -> Sequence[str]:
        stream = job.stream
        told = {
            "bootstrap": stream.bootstrap,
            "prefix": stream.prefix,
            "group": job.name,
            "output": self.output_topic(job),
            "directory": str(job.directory / "state"),
            "guarantee": self.guarantee,
        }
        if self.warm_up is not None:
            told |= {"warm-prefix": self.warm_up.prefix, "warm-events": str(self.warm_up.events)}
        return [*self.start, *(f"--{name}={value}" for name, value in told.items())]

    def variables(self, job: Job) -> Mapping[str, str]:
        return {}

    def output_topic(self, job: Job) -> str:
        return f"{job.name}-ended-sessions"

    def topics(self, job: Job) -> Sequence[str]:
        output = self.output_topic(job)
        warm = () if self.warm_up is None else (f"{output}-warm",)
        return (output, *warm, *(f"{job.name}-{each}-changelog" for each in self.changelogs))
