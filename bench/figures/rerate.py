"""How many sealed sessions a second a re-rating prices, in how much memory."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench.finished_session import TARIFF, UPDATES
from bench.notice import Notice
from bench.preload import stream_variables
from bench.processes import start
from bench.result import Figure, at_least, at_most, shown
from bench.scene import Scene
from bench.sealed import preload_sealed
from evcharge.errors import CommandError

LEAST = 1_700
"""A million in ten minutes."""
MOST_MB = 150
PREFIX = "sealed."
PERIOD = ("--from", "2023-05-01", "--to", "2023-05-02")

_LOOK_S = 0.05


async def rerate(scene: Scene) -> AsyncIterator[Figure]:
    """Run the command over sessions of 50 updates, first to look, then with a decision for each."""
    count = scene.sizes.sealed_sessions
    scene.use_both_cores()
    await preload_sealed(scene.bootstrap, PREFIX, count)
    scene.stay_on_kafkas_core()
    directory = scene.new_directory()
    (directory / "tariff.json").write_text(json.dumps(_corrected()), encoding="utf-8")
    title = f"re-rating of {count:,} sessions of {UPDATES} updates"
    seconds, peak_mb = await _run(scene, directory)
    yield at_least(title, count / seconds, "sessions/s", LEAST)
    yield at_most(f"{title}, memory", peak_mb, "MB", MOST_MB)
    seconds, _ = await _run(scene, directory, "--apply", "--wait", "0")
    yield shown(f"{title}, with a decision for each", count / seconds, "sessions/s")


def _corrected() -> dict[str, object]:
    """Return the tariff with another FLAT price in front: every total is another one."""
    flat = {"price_components": [{"type": "FLAT", "price": "0.90", "vat": 20}]}
    return TARIFF | {"elements": [flat, *TARIFF["elements"]]}


async def _run(scene: Scene, directory: Path, *more: str) -> tuple[float, float]:
    """Return how long the command took, from start to end, and the most memory that it held.

    Raises:
        CommandError: it failed.
    """
    file = str(directory / "tariff.json")
    command = [sys.executable, "-m", "evcharge", "rerate", "--tariff", file, *PERIOD, *more]
    with Notice(f"re-rating {' '.join(more)}") as notice:
        began = time.monotonic()
        running = await start(
            scene.new_name("rerate"),
            command,
            stream_variables(scene.bootstrap, PREFIX),
            core=scene.program_core,
            directory=directory,
        )
        peak_mb = 0.0
        try:
            while running.child.running:
                # It may end between two looks.
                with contextlib.suppress(OSError, CommandError):
                    peak_mb = max(peak_mb, running.peak_mb())
                await asyncio.sleep(_LOOK_S)
            code = await running.child.wait()
        finally:
            await running.kill()
        seconds = time.monotonic() - began
        if code:
            raise CommandError(f"it ended with {code}; its last words:\n{running.child.tail()}")
        notice.done(f"{seconds:.1f} s, {peak_mb:.0f} MB")
    return seconds, peak_mb
