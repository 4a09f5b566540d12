"""Records that are watched on their way: from when they are sent until HTTP shows them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bench.events import Topic
from bench.paced import Paced
from bench.worker import Worker
from evcharge.errors import CommandError

LOOK_S = 0.001
LOOK_SHARE = 0.1
"""Of the time waited so far, when that is more: who asks all the time is a load of its own (at 50,000
events/s a quarter of the worker's time). What is measured is so much too long at most."""
PATIENCE_S = 10.0


def now() -> str:
    """Return the present instant as a device writes it: later probes must not seem older."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def status(station: str, mark: str) -> bytes:
    """Return a status event that carries a mark."""
    return (
        f'{{"station_id":"{station}","timestamp":"{now()}","status":"faulted","connector_id":1,'
        f'"error_code":"{mark}"}}'
    ).encode()


def shows_status(mark: str) -> Callable[[Any], bool]:
    """Whether a Station shows the status event with a mark."""
    return lambda body: any(each["error_code"] == mark for each in body["connectors"])


def update(station: str, wh: int) -> bytes:
    """Return an update of the probe's session, whose energy is its mark."""
    return (
        f'{{"event":"session_update","session_id":"P","station_id":"{station}","timestamp":"{now()}",'
        f'"energy_kwh":{wh / 1000:.3f},"power_kw":11.0}}'
    ).encode()


def shows_energy(wh: int) -> Callable[[Any], bool]:
    """Whether a Session shows an update with so much energy."""
    return lambda body: body["energy_kwh"] == wh / 1000


async def visible(worker: Worker, path: str, shows: Callable[[Any], bool]) -> float:
    """Ask until the answer shows a probe; return when it did, on the monotonic clock."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < PATIENCE_S:
        body = await worker.get(path)
        seen = time.monotonic()
        if body is not None and shows(body):
            return seen
        await asyncio.sleep(max(LOOK_S, LOOK_SHARE * waited))
    raise CommandError(f"{path} did not show within {PATIENCE_S:g} s what had been sent")


async def probe_statuses(
    paced: Paced, worker: Worker, seconds: float, every_s: float
) -> list[float]:
    """Return how long each of many status events took to be visible, in ms."""

    async def one(number: int) -> float:
        station, mark = f"PROBE-{number % 64}", f"p{number}"
        sent = await paced.probe(Topic.STATUS, station.encode(), status(station, mark))
        return await visible(worker, f"/v1/stations/{station}", shows_status(mark)) - sent

    return await _many(one, seconds, every_s)


async def probe_sessions(
    paced: Paced, worker: Worker, seconds: float, every_s: float
) -> list[float]:
    """Return how long each of many session updates took to be visible, in ms."""

    async def one(number: int) -> float:
        station, wh = f"PROBE-{number % 64}", number + 1
        sent = await paced.probe(Topic.SESSIONS, station.encode(), update(station, wh))
        path = f"/v1/sessions/P?station_id={station}"
        return await visible(worker, path, shows_energy(wh)) - sent

    return await _many(one, seconds, every_s)


async def _many(one: Callable[[int], Any], seconds: float, every_s: float) -> list[float]:
    """Take probes one after the other, not faster than one in `every_s`."""
    end = time.monotonic() + seconds
    taken: list[float] = []
    while time.monotonic() < end:
        began = time.monotonic()
        taken.append(await one(len(taken)) * 1000)
        await asyncio.sleep(max(0.0, began + every_s - time.monotonic()))
    return taken
