"""The demo's order of events, from the topics to the summary."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evcharge.demo.stage import ROOT
from evcharge.demo.summary import summary
from evcharge.demo.watch import Watch
from evcharge.demo.web import WorkerWeb
from evcharge.domain.quantities import SECOND_US
from evcharge.errors import CommandError
from evcharge.replay.closed_sessions import read
from evcharge.replay.device_events import survey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from evcharge.demo.child import Child
    from evcharge.demo.stage import Stage
    from evcharge.replay.device_events import Contents

_EXAMPLES = ROOT / "examples"
_SESSIONS = _EXAMPLES / "workplace" / "sessions.csv"
_WORKPLACES = _EXAMPLES / "workplace" / "stations.json"
_CITY = _EXAMPLES / "city" / "stations.json"
_LIVE_RATE = "20"
# Short visits: in a minute one sees cars come and go.
_LIVE_VISIT_S = "25"
_REPLAY_SHARE = 0.5
_REPLAY_UNLIMITED_S = 90.0
_READY_S = 120.0
_REPLAY_LATE_S = 120.0
_APPLIED_S = 60.0
_LOOK_S = 1.0
_SAY_S = 2.0


@dataclass(frozen=True)
class Voices:
    """Where the demo's lines go: what it shows, and what it is doing."""

    show: Callable[[str], None]
    tell: Callable[[str], None]


class StoppedError(Exception):
    """Somebody asked to stop before there was anything to sum up."""


async def play(
    stage: Stage,
    seconds: float | None,
    *,
    stop: asyncio.Event,
    applied: Callable[[float], Awaitable[bool]],
    voices: Voices,
) -> None:
    """Play until `seconds` after the addresses were shown, or until `stop`, and sum up.

    `applied` waits, for so many seconds at most, until the tables hold all that was published.

    Raises:
        CommandError: a program failed, or took too long.
        StoppedError: `stop` was set during the preparations.
    """
    async with WorkerWeb(stage.web) as web:
        await _or_stop(_prepare(stage, web, voices), stop)
        voices.show(f"web {stage.web}")
        voices.show(f"broker {stage.broker}")
        ends = None if seconds is None else time.monotonic() + seconds
        share_s = _REPLAY_UNLIMITED_S if seconds is None else seconds * _REPLAY_SHARE
        contents = survey(read(_SESSIONS))
        replay = await stage.start("replay", str(_SESSIONS), "--speed", _speed(contents, share_s))
        simulate = await stage.start(
            *("simulate", "--stations-file", str(_CITY), "--rate", _LIVE_RATE),
            *("--session-seconds", _LIVE_VISIT_S),
            service=True,
        )
        until = "Ctrl-C ends it" if seconds is None else f"it ends by itself after {seconds:g} s"
        voices.tell(
            f"{contents.sessions:,} real sessions are replayed and a live fleet charges; {until}"
        )
        await _watch(web, ends, stop, voices)
        await _sum_up(web, replay, simulate, stop, applied, voices)


async def _prepare(stage: Stage, web: WorkerWeb, voices: Voices) -> None:
    voices.tell("creating the topics")
    await stage.run("topics")
    voices.tell("starting a worker and loading the register")
    # Quiet: what a worker logs in its routine is not what a demo is watched for.
    await stage.start("worker", "-l", "warn", service=True)
    await stage.run("load", str(_WORKPLACES), str(_CITY))
    await web.ready(_READY_S)


async def _or_stop(work: Awaitable[None], stop: asyncio.Event) -> None:
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise StoppedError
        await working
    finally:
        working.cancel()
        stopping.cancel()


async def _watch(web: WorkerWeb, ends: float | None, stop: asyncio.Event, voices: Voices) -> None:
    """Show now and then a station that changed, until the time is over or somebody stops it."""
    watch = Watch()
    said = float("-inf")
    while not stop.is_set() and (ends is None or time.monotonic() < ends):
        changes = watch.look(await web.stations())
        if changes and time.monotonic() - said >= _SAY_S:
            said = time.monotonic()
            more = f" (and {len(changes) - 1} more)" if len(changes) > 1 else ""
            voices.show(f"{time.strftime('%H:%M:%S')} {changes[0]}{more}")
        left = _LOOK_S if ends is None else min(_LOOK_S, max(0.0, ends - time.monotonic()))
        try:
            async with asyncio.timeout(left):
                await stop.wait()
        except TimeoutError:
            continue


async def _sum_up(
    web: WorkerWeb,
    replay: Child,
    simulate: Child,
    stop: asyncio.Event,
    applied: Callable[[float], Awaitable[bool]],
    voices: Voices,
) -> None:
    # Before the fleet leaves, or every station would be free.
    stations = await web.stations()
    voices.tell("stopping the fleet and summing up")
    await simulate.stop()
    if stop.is_set():
        await replay.stop()
    else:
        await _finished(replay)
    if not await applied(_APPLIED_S):
        raise CommandError(f"not everything was applied within {_APPLIED_S:g} s")
    for line in summary(stations, await _sessions(web, stations), _replayed_sites()):
        voices.show(line)


async def _finished(replay: Child) -> None:
    try:
        async with asyncio.timeout(_REPLAY_LATE_S):
            await replay.wait()
    except TimeoutError:
        raise CommandError(f"the replay is not done {_REPLAY_LATE_S:g} s late") from None


async def _sessions(
    web: WorkerWeb, stations: list[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    ids = [station["station_id"] for station in stations]
    found = await asyncio.gather(*(web.sessions(station_id) for station_id in ids))
    return dict(zip(ids, found, strict=True))


def _replayed_sites() -> set[str]:
    """The sites of the register that belongs to the replayed sessions."""
    return {station["site_id"] for station in json.loads(_WORKPLACES.read_text(encoding="utf-8"))}


def _speed(contents: Contents, within_s: float) -> str:
    """Seconds of event time per second with which the replay takes so long."""
    return f"{(contents.last_us - contents.first_us) / SECOND_US / within_s:.0f}"
