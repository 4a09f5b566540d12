"""Sends the mix at a steady rate, as a fleet does, and probes among it whose arrival is watched.

Every few milliseconds what is due is sent. If Kafka or this process falls behind, what is due grows: the
rate is kept, and the probes' times run from when they were due to be sent.
"""

from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import dataclass
from itertools import chain, islice
from typing import Self

from bench.events import Fleet, Topic
from bench.preload import Loader, producer
from evcharge.errors import CommandError

TICK_S = 0.01

LEAST_KEPT = 0.97
"""Of the rate; below it another load was measured."""


@dataclass(frozen=True)
class Probe:
    """A record of its own among the stream."""

    topic: Topic
    key: bytes
    value: bytes
    sent: asyncio.Future[float]
    """When it was due, on the monotonic clock, once it is on its way."""


class Paced:
    """A producer at a steady rate, from entering the context to leaving it."""

    def __init__(
        self, bootstrap: str, prefix: str, fleet: Fleet, rate: int, *, ahead_s: float = 0
    ) -> None:
        """Make the events of the first ``ahead_s`` seconds now: Kafka's core is to be Kafka's then."""
        self._producer = producer(bootstrap)
        self._loader = Loader(self._producer, prefix, fleet.stations)
        ahead = list(fleet.mixed(int(ahead_s * rate)))
        # Millions of them, which nothing refers back to: a collection would only stop the sending.
        gc.freeze()
        self._events = chain(ahead, fleet.mixed(1 << 62))
        self._rate = rate
        self._probes: list[Probe] = []
        self._task: asyncio.Task[None] | None = None
        self._began = 0.0
        self.count = 0
        """Events sent so far."""

    async def __aenter__(self) -> Self:
        await self._producer.start()
        self._began = time.monotonic()
        self._task = asyncio.create_task(self._send())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._producer.stop()
        gc.unfreeze()

    def require_rate(self) -> None:
        """Raises CommandError if the rate was not kept."""
        assert self._task is not None
        if self._task.done():
            self._task.result()
        kept = self.count / (time.monotonic() - self._began)
        if kept < LEAST_KEPT * self._rate:
            raise CommandError(
                f"{self._rate:,} events/s were to be sent and {kept:,.0f} were: Kafka's core is too"
                " busy for this figure"
            )

    async def probe(self, topic: Topic, key: bytes, value: bytes) -> float:
        """Send a record with the next events; return when it was due."""
        probe = Probe(topic, key, value, asyncio.get_running_loop().create_future())
        self._probes.append(probe)
        return await probe.sent

    async def _send(self) -> None:
        due = self._began
        while True:
            due += TICK_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            wanted = int((due - self._began) * self._rate) - self.count
            await self._loader.append(islice(self._events, wanted))
            self.count += wanted
            probes, self._probes = self._probes, []
            for probe in probes:
                await self._loader.append_record(probe.topic, probe.key, probe.value)
                probe.sent.set_result(due)
            await self._loader.send_open()
