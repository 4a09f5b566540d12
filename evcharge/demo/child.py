"""One program of the demo, as a process that ends with the demo, whatever ends the demo."""

from __future__ import annotations

import asyncio
import contextlib
import re
from asyncio.subprocess import PIPE, STDOUT, Process
from typing import TYPE_CHECKING

from evcharge.broker.guard import ENDED, guarded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_STOP_GRACE_S = 15.0
_TAIL_LINES = 15


class Child:
    """A program whose output goes to a log file; made by `start`."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.log = log
        self.stopping = False
        """Somebody asked it to end, so its end is no surprise."""
        self._process = process

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        directory: Path,
        environment: Mapping[str, str],
    ) -> Child:
        """Start the program and return at once."""
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *guarded(name, command),
                stdin=PIPE,
                stdout=output,
                stderr=STDOUT,
                cwd=directory,
                env=dict(environment),
                # Ctrl-C in the terminal is for us: the programs are stopped in our order.
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Return its exit code once it has ended (negative: the signal that ended it)."""
        code = await self._process.wait()
        guard = self._process.stdin
        assert guard is not None, "it was started with a pipe"
        if not guard.is_closing():
            with contextlib.suppress(ConnectionError):
                guard.write(ENDED)
                await guard.drain()
            guard.close()
        return code

    async def stop(self) -> None:
        """Ask it to end, and kill it if it takes too long. Harmless if it has ended."""
        self.stopping = True
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_GRACE_S):
                await self.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it at once. Harmless if it has ended."""
        self.stopping = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self.wait()

    def tail(self) -> str:
        """The last lines of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        # A worker's log hides the cursor; the terminal of whoever reads this must keep its own.
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).splitlines()
        return "\n".join(lines[-_TAIL_LINES:])
