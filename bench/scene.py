"""What all figures share: the cores, a running Kafka, names and directories that nobody used yet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from aiokafka.admin import AIOKafkaAdminClient

from bench.cores import require_cores
from evcharge.broker import KafkaCluster

if TYPE_CHECKING:
    from bench.large import Large
    from bench.preload import Stream
    from bench.sizes import Sizes


@dataclass
class Scene:
    """Where the benchmark takes place. The benchmark's own process shares Kafka's core."""

    bootstrap: str
    directory: Path
    """Scratch, removed at the end."""
    kafka_core: int
    program_core: int
    sizes: Sizes
    large: Large | None = None
    warm_up: Stream | None = None
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def new_name(self, of: str) -> str:
        """Return a name for a run: its group and internal topics."""
        word = "".join(each if each.isalnum() else "-" for each in of.lower())
        return f"run{next(self._numbers)}-{word}"

    def new_directory(self) -> Path:
        """Return a directory of a run's own."""
        path = self.directory / f"run{next(self._numbers)}"
        path.mkdir(parents=True)
        return path

    async def forget(self, name: str) -> None:
        """Delete a run's topics, so that Kafka's disk and memory hold one run at a time."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            own = [topic for topic in await admin.list_topics() if name in topic]
            if own:
                await admin.delete_topics(own)
        finally:
            await admin.close()

    def use_both_cores(self) -> None:
        """Let the benchmark itself use the program's core too: while no program runs."""
        os.sched_setaffinity(0, {self.kafka_core, self.program_core})

    def stay_on_kafkas_core(self) -> None:
        """Leave the program's core to the program."""
        os.sched_setaffinity(0, {self.kafka_core})


@contextmanager
def set_scene(sizes: Sizes) -> Iterator[Scene]:
    """Start a Kafka on a core of its own, on which this process stays too; all is gone at the end.

    Raises:
        CommandError: there are no two cores to be had.
    """
    kafka_core, program_core = require_cores()
    # Inherited by Kafka.
    os.sched_setaffinity(0, {kafka_core})
    with (
        TemporaryDirectory(prefix="evcharge-bench-", ignore_cleanup_errors=True) as scratch,
        KafkaCluster(port=0, heap="2g") as kafka,
    ):
        yield Scene(kafka.bootstrap, Path(scratch), kafka_core, program_core, sizes)
