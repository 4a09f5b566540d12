"""A worker of the application and its HTTP interface, as its users have them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

from bench.processes import Running, start
from bench.programs import Evcharge, Job
from evcharge.broker.ports import free_port
from evcharge.errors import CommandError

LOOK_S = 0.01


@dataclass
class Worker:
    """One worker of a job's deployment; `start` may be called again after `kill`."""

    job: Job
    core: int
    name: str = "bench"
    more: Mapping[str, str] = field(default_factory=dict)
    """Settings beside those that the job gives."""

    def __post_init__(self) -> None:
        self._program = Evcharge(instance=self.name)
        self._port = free_port()
        self._running: Running | None = None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None:
            await self._running.kill()
        if self._http is not None:
            await self._http.close()

    @property
    def running(self) -> Running:
        """Its process."""
        assert self._running is not None, "it was started"
        return self._running

    @property
    def state(self) -> Path:
        """Its local state."""
        return self._program.state(self.job)

    async def start(self) -> None:
        """Start it and return at once."""
        program = self._program
        variables = {
            **program.variables(self.job),
            "EVCHARGE_WEB_PORT": str(self._port),
            **self.more,
        }
        self._running = await start(
            f"{self.job.name}-{self.name}",
            program.command(self.job),
            variables,
            core=self.core,
            directory=self.job.directory,
        )

    async def ready(self, within_s: float = 120.0) -> float:
        """Wait until it answers that it is ready; return how long that took, in seconds."""
        began = time.monotonic()
        while await self.partitions() is None:
            self.running.require()
            if time.monotonic() - began > within_s:
                raise CommandError(f"{self.name} was not ready within {within_s:g} s")
            await asyncio.sleep(LOOK_S)
        return time.monotonic() - began

    async def start_until_ready(self, within_s: float = 120.0) -> float:
        """Start it; return the seconds from the start of its process until it is ready."""
        began = time.monotonic()
        await self.start()
        await self.ready(within_s)
        return time.monotonic() - began

    async def partitions(self) -> list[int] | None:
        """Return which partitions it answers for, None if it is not ready."""
        answer = await self.get("/readyz")
        return None if answer is None else list(answer["partitions"])

    async def get(self, path: str) -> Any:
        """Return the body of an answer, None if there is none or its status is not 200."""
        assert self._http is not None, "used as a context manager"
        try:
            async with self._http.get(f"http://127.0.0.1:{self._port}{path}") as response:
                body = await response.read()
                return json.loads(body) if response.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            return None
