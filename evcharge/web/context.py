"""What every handler works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from aiohttp import web

from evcharge.web.metrics import Metrics
from evcharge.web.peers import Peers
from evcharge.web.state import StateReader


def _now_us() -> int:
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """The parts of the worker that the HTTP interface uses."""

    reader: StateReader
    peers: Peers
    metrics: Metrics
    silence_us: int
    """Microseconds after which a silent connector is unknown."""
    now_us: Callable[[], int] = _now_us

    def with_copies(self) -> Self:
        """The same, reading partitions of which this worker has only a copy as well."""
        return replace(self, reader=self.reader.with_copies())


CONTEXT = web.AppKey("context", WebContext)


def context_of(request: web.Request) -> WebContext:
    """Return what the application was built with."""
    return request.app[CONTEXT]
