"""A program under test as a process on its core, and what the system says of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cores import pinned
from evcharge.demo.child import Child
from evcharge.errors import CommandError

ROOT = Path(__file__).resolve().parent.parent

STOP_GRACE_S = 60.0

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Running:
    """A started program."""

    child: Child
    _cpu_s: float = 0.0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.child.pid

    def require(self) -> None:
        """Raises CommandError with its last words if it has ended."""
        if not self.child.running:
            raise CommandError(f"{self.child.name} ended; its last words:\n{self.child.tail()}")

    def cpu_s(self) -> float:
        """Seconds of CPU since its start, user and system; after its end the last that was known."""
        try:
            text = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return self._cpu_s
        # The second field is the program's name in brackets and may contain anything.
        values = text.rpartition(")")[2].split()
        self._cpu_s = (int(values[11]) + int(values[12])) / _TICKS
        return self._cpu_s

    def resident_mb(self) -> float:
        """Memory that it holds now, in MB (10^6 bytes)."""
        return self._memory("VmRSS")

    def peak_mb(self) -> float:
        """The most memory that it has held since its start, in MB (10^6 bytes)."""
        return self._memory("VmHWM")

    def _memory(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024 / 1e6
        self.require()
        raise CommandError(f"{self.child.name} says nothing of its {name}")

    def terminate(self) -> None:
        """Ask it to end (SIGTERM) and return at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    async def stop(self) -> None:
        """Ask it to end, kill it if it does not: to flush a large cache takes a while."""
        self.terminate()
        try:
            async with asyncio.timeout(STOP_GRACE_S):
                await self.child.wait()
        except TimeoutError:
            await self.child.kill()

    async def kill(self) -> None:
        """End it without a warning (SIGKILL)."""
        await self.child.kill()


async def start(
    name: str,
    command: Sequence[str],
    variables: Mapping[str, str],
    *,
    core: int,
    directory: Path,
) -> Running:
    """Start a program on a core; its log is in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    # What the user has set for an own deployment plays no part.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("EVCHARGE_")}
    child = await Child.start(
        name,
        pinned(core, command),
        log=directory / f"{name}.log",
        directory=ROOT,
        environment={**inherited, "PYTHONPATH": str(ROOT), **variables},
    )
    return Running(child)
