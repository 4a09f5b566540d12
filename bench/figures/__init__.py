"""The figures of the table, one file each, in the order in which they are measured."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

from bench.figures.billing import billing
from bench.figures.fleets import fleets
from bench.figures.latency import latency
from bench.figures.memory import memory
from bench.figures.pricing import pricing
from bench.figures.rerate import rerate
from bench.figures.restart import restart
from bench.figures.restore import restore
from bench.figures.takeover import takeover
from bench.figures.throughput import throughput
from bench.figures.view import view
from bench.figures.workers import workers
from bench.result import Figure
from bench.scene import Scene

FIGURES: Mapping[str, Callable[[Scene], AsyncIterator[Figure]]] = {
    "throughput": throughput,
    "fleets": fleets,
    "latency": latency,
    "view": view,
    "pricing": pricing,
    "billing": billing,
    "rerate": rerate,
    "takeover": takeover,
    "workers": workers,
    "memory": memory,
    "restart": restart,
    "restore": restore,
}
