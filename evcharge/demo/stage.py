"""What the demo needs around it: a directory, ports, an environment, and the programs that play."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evcharge.broker.ports import free_port
from evcharge.demo.child import Child
from evcharge.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Stage:
    """Starts programs and knows when one of them ends that should not; `clear` ends them all.

    `program` is what is run, `evcharge` itself unless a test puts another in its place.
    """

    directory: Path
    broker: str
    web_port: int = field(default_factory=free_port)
    program: Sequence[str] = (sys.executable, "-m", "evcharge")

    def __post_init__(self) -> None:
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Has an exception once a program has failed."""
        self._children: list[Child] = []
        self._starting: set[asyncio.Task[Child]] = set()
        self._watchers: set[asyncio.Task[None]] = set()

    @property
    def web(self) -> str:
        """Where the worker answers."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def variables(self) -> dict[str, str]:
        """The settings of all programs."""
        return {
            "EVCHARGE_BROKER": f"kafka://{self.broker}",
            "EVCHARGE_DATA_DIR": str(self.directory / "worker"),
            "EVCHARGE_WEB_PORT": str(self.web_port),
            "EVCHARGE_INSTANCE_ID": "demo",
            "EVCHARGE_DEFAULT_TARIFF": str(ROOT / "examples" / "workplace" / "tariff.json"),
            "EVCHARGE_ISSUER_NAME": "Example Charging",
        }

    async def start(self, *arguments: str, service: bool = False) -> Child:
        """Start `python -m evcharge ARGUMENTS…`; a `service` fails when it ends by itself at all."""
        starting = asyncio.create_task(self._start(arguments, service=service))
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)
        # Whoever gives up waiting must not leave a process that `clear` does not know.
        return await asyncio.shield(starting)

    async def _start(self, arguments: Sequence[str], *, service: bool) -> Child:
        # The demo is the same whatever the user has set for an own deployment.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("EVCHARGE_")}
        name = arguments[0]
        child = await Child.start(
            name,
            [*self.program, *arguments],
            log=self.directory / f"{name}.log",
            directory=ROOT,
            environment=inherited | self.variables,
        )
        self._children.append(child)
        watcher = asyncio.create_task(self._watch(child, service=service))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        return child

    async def run(self, *arguments: str) -> None:
        """Run a program to its end."""
        child = await self.start(*arguments)
        if await child.wait() != 0:
            # Its watcher says why and ends the demo.
            await asyncio.Event().wait()

    def fail(self, sentence: str, log: str) -> None:
        """End the demo with a sentence and the last lines of a log."""
        if not self.failure.done():
            self.failure.set_exception(CommandError(f"{sentence}; its last words:\n{log}"))

    async def clear(self) -> None:
        """End every program, the youngest first."""
        if self.failure.done():
            # Retrieved, or asyncio would complain about an exception that nobody looked at.
            self.failure.exception()
        await asyncio.gather(*self._starting, return_exceptions=True)
        for child in reversed(self._children):
            child.stopping = True
        for child in reversed(self._children):
            await child.stop()

    async def _watch(self, child: Child, *, service: bool) -> None:
        code = await child.wait()
        if not child.stopping and (service or code != 0):
            how = f"with exit code {code}" if code >= 0 else f"killed by signal {-code}"
            self.fail(f"the {child.name} ended unexpectedly, {how}", child.tail())
