"""What every handler works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from aiohttp import web

from evcharge.domain.billing.terms import Desk
from evcharge.web.aside import Aside
from evcharge.web.metrics import Metrics
from evcharge.web.peers import Peers
from evcharge.web.state import StateReader


def _now_us() -> int:
    return time.time_ns() // 1_000


class DecisionLog(Protocol):
    """Where decisions are recorded."""

    async def append(self, partition: int, station_id: str, record: bytes) -> None:
        """Append a record of ``session-decisions`` to a partition, and return when Kafka has it.

        Raises:
            EvchargeError: Kafka did not acknowledge it; it may be there all the same.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """The parts of the worker that the HTTP interface uses."""

    reader: StateReader
    peers: Peers
    metrics: Metrics
    desk: Desk
    """Where the terms of sessions come from; only what is not sealed yet is priced by its choice."""
    decisions: DecisionLog
    silence_us: int
    """Microseconds after which a silent connector is unknown."""
    aside: Aside = field(default_factory=Aside)
    decision_patience_s: float = 5.0
    """Seconds that a recorded decision may take to show in its session before the answer is 202."""
    now_us: Callable[[], int] = _now_us

    def with_copies(self) -> Self:
        """The same, reading partitions of which this worker has only a copy as well."""
        return replace(self, reader=self.reader.with_copies())


CONTEXT = web.AppKey("context", WebContext)


def context_of(request: web.Request) -> WebContext:
    """Return what the application was built with."""
    return request.app[CONTEXT]
