"""The workers and brokers that are tortured, and the ways to do it."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

from evcharge.broker import KafkaCluster
from tests.integration.deployment import Deployment, Worker
from tests.torture.journal import Journal
from tests.torture.points import MOMENTS, POINTS, Trap, waits

PROGRAM = "tests.torture.worker"

TRAP_PATIENCE_S = 8.0
"""How long a worker may take to walk into its trap; it may not come by there at all."""

STOP_PATIENCE_S = 30


class TortureError(AssertionError):
    """What must not happen has happened."""


class Victim:
    """One place of the deployment where a worker runs, or does not."""

    def __init__(
        self, deployment: Deployment, name: str, journal: Journal, session_timeout_s: int
    ) -> None:
        self.worker: Worker = deployment.worker(name)
        self.name = name
        self.data = deployment.directory / name
        self._trap = deployment.directory / f"{name}.trap"
        self._journal = journal
        self._session_timeout_s = session_timeout_s
        self._started = False
        self._ended = False
        """Whether it was killed or told to end since it was started."""

    @property
    def running(self) -> bool:
        return self.worker.alive

    def ended_by_itself(self) -> bool:
        """Whether it was neither killed nor told to end."""
        return self._started and not self._ended and not self.running

    def start(self, trap: Trap | None = None) -> None:
        """Start the worker, with a trap for its start if one is given."""
        self._trap.unlink(missing_ok=True)
        if trap is not None:
            self._trap.write_text(str(trap))
        self._started, self._ended = True, False
        self.worker.start(PROGRAM, TORTURE_TRAP=str(self._trap))
        self._journal.did("start", f"{self.name}{f' with {trap}' if trap else ''}")

    def kill(self) -> None:
        """``kill -9``, whatever it is doing."""
        self._ended = True
        self.worker.kill()
        self._journal.did("kill", self.name)

    async def term(self) -> None:
        """SIGTERM; it has to end in time."""
        self._ended = True
        self._journal.did("term", self.name)
        self.worker.resume()
        try:
            code = await asyncio.to_thread(self.worker.stop)
        except subprocess.TimeoutExpired:
            self.worker.kill()
            raise TortureError(f"{self.name} did not end within {STOP_PATIENCE_S} s") from None
        self._journal.say(f"  {self.name} ended with {code}")

    async def freeze(self, chance: random.Random) -> None:
        """SIGSTOP, mostly until beyond the session timeout, then SIGCONT."""
        self.worker.pause()
        self._journal.did("freeze", self.name)
        await self._thaw(chance)

    async def _thaw(self, chance: random.Random) -> None:
        beyond_s = chance.choice([-2.0, 0.5, 1.5, 3.0, 6.0])
        await asyncio.sleep(max(0.5, self._session_timeout_s + beyond_s))
        self.worker.resume()
        self._journal.did("thaw" if beyond_s < 0 else "thaw a zombie", self.name)

    async def trap(self, chance: random.Random) -> None:
        """Have it die or freeze at a step of a chunk's way, and go on afterwards if it froze."""
        if not self.running:
            return
        trap = draw_trap(chance)
        self._trap.write_text(str(trap))
        self.worker.process.send_signal(signal.SIGURG)
        await self._await_trap(trap, chance)

    async def trap_at_start(self, chance: random.Random) -> None:
        """The same in the middle of taking partitions over."""
        harm = chance.choice(["kill", "freeze"])
        point = chance.choice(["take-over", "take-over", "coordinate", "append", "store"])
        trap = Trap(point, chance.choice(MOMENTS), chance.randint(1, 6), harm)
        self.start(_possible(trap))
        await self._await_trap(trap, chance)

    async def _await_trap(self, trap: Trap, chance: random.Random) -> None:
        for _ in range(int(TRAP_PATIENCE_S / 0.05)):
            await asyncio.sleep(0.05)
            if not self.running:
                self._ended = True
                self._journal.did(f"{trap.harm} at {trap.point}", f"{self.name}, {trap.moment} it")
                return
            if self.frozen:
                self._journal.did(f"freeze at {trap.point}", f"{self.name}, {trap.moment} it")
                await self._thaw(chance)
                return
        self._trap.unlink(missing_ok=True)
        self.worker.process.send_signal(signal.SIGURG)
        self._journal.say(f"  {self.name} did not come by {trap}")

    @property
    def frozen(self) -> bool:
        if not self.running:
            return False
        try:
            stat = Path(f"/proc/{self.worker.process.pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] == "T"

    def lose_data(self) -> None:
        """Its disk is gone."""
        if self.running:
            self.kill()
        shutil.rmtree(self.data, ignore_errors=True)
        self._journal.did("lose the data directory", self.name)

    async def await_ready(self) -> None:
        """Wait until it is ready, but not for ever: something else may be broken now."""
        for _ in range(int(TRAP_PATIENCE_S / 0.2)):
            if not self.running or await asyncio.to_thread(self.ready):
                return
            await asyncio.sleep(0.2)

    def ready(self) -> bool:
        """Whether it says so itself."""
        try:
            with urllib.request.urlopen(f"{self.worker.url}/readyz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:  # also urllib's own errors
            return False

    def last_words(self) -> str:
        """The last line that it wrote about itself."""
        said = [line for line in self.worker.log().splitlines() if "worker stops" in line]
        return said[-1][:300] if said else "without a word"


def draw_trap(chance: random.Random) -> Trap:
    """Choose a step of a chunk's way."""
    point = chance.choice([each for each in POINTS if each != "take-over"])
    passes = chance.choice([1, 2, 3, 5, 10, 30])
    harm = chance.choice(["kill", "kill", "freeze"])
    return _possible(
        Trap(point, chance.choice(MOMENTS), passes, harm, of_bills=chance.random() < 0.5)
    )


def _possible(trap: Trap) -> Trap:
    """Nothing can happen during a step that does not wait."""
    if trap.moment == "during" and not waits(trap.point):
        return dataclasses.replace(trap, moment="after")
    return trap


class Brokers:
    """The brokers; one thing at a time is done to them."""

    def __init__(self, cluster: KafkaCluster, count: int, journal: Journal) -> None:
        self.count = count
        self._cluster = cluster
        self._journal = journal

    async def torture(self, chance: random.Random) -> None:
        """Pause a broker, or kill or stop it and start it again."""
        node = chance.randint(1, self.count)
        what = chance.choice(["pause", "kill", "restart"])
        self._journal.did(f"broker {what}", f"node {node}")
        # Shorter than its controller's patience if it is alone (``run.py`` says why).
        for_s = chance.choice([1.0, 3.0, 8.0 if self.count > 1 else 5.0])
        if what == "pause":
            self._cluster.pause(node)
            await asyncio.sleep(for_s)
            self._cluster.resume(node)
        else:
            if what == "kill":
                await asyncio.to_thread(self._cluster.kill, node)
                await asyncio.sleep(for_s)
            await asyncio.to_thread(self._cluster.restart, node)
        self._journal.say(f"  broker node {node} is back")
