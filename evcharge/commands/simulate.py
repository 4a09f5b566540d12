"""`simulate`: a live fleet of charging stations."""

from __future__ import annotations

import asyncio
import json
import signal
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evcharge.commands.base import ProjectCommand, option, say
from evcharge.commands.progress import Progress
from evcharge.domain.quantities import SECOND_US, TimestampError, parse_timestamp
from evcharge.errors import CommandError
from evcharge.kafka.publisher import Publisher, encode
from evcharge.simulation.city import city_register
from evcharge.simulation.delivery import Delivery, Routing
from evcharge.simulation.equipment import BayPlan, bay_plans
from evcharge.simulation.fault_mix import FaultMix
from evcharge.simulation.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evcharge.settings import Settings

_STATIONS = 40


class Simulate(ProjectCommand):
    """Simulate a fleet of charging stations, live, until Ctrl-C.

    Cars come as the day goes, plug in, charge (slower above 80 %), some stay on when they have
    enough, and leave. The stations tell of it as the real ones do: session events and statuses
    with the current time. A visit takes under two minutes, so that one can watch it; ask for
    longer ones with --session-seconds. At the end every car is unplugged.

    Without --stations-file the stations are CITY-001, CITY-002, … of examples/city/stations.json
    (publish their places with `load`).

    Example: python -m evcharge simulate --stations 100 --rate 200 --faults
    """

    options = [  # noqa: RUF012 - declared as Faust does
        option(
            "--stations",
            type=click.IntRange(1, 100_000),
            help=f"Number of stations.  [default: {_STATIONS}, or all of --stations-file]",
        ),
        option(
            "--rate",
            type=click.FloatRange(0.1, 100_000),
            default=10.0,
            show_default=True,
            help="Events per second, of the whole fleet.",
        ),
        option(
            "--faults",
            is_flag=True,
            help="What goes wrong in the field: duplicates, late and out-of-order events, lost"
            " ends, meter resets, registers of 0, wrong clocks, stations that fall silent, records"
            " in wrong partitions or without a key, junk. Counts them at the end.",
        ),
        option(
            "--seed",
            type=int,
            default=1,
            show_default=True,
            help="Decides everything that is left to chance.",
        ),
        option(
            "--start",
            help="Time at which the stations' clocks start, such as 2023-05-01T10:00:00Z; with the"
            " same seed it gives the same events.  [default: now]",
        ),
        option(
            "--duration", type=click.FloatRange(min=0.1), help="Seconds; then it ends by itself."
        ),
        option(
            "--session-seconds",
            type=click.FloatRange(5, 86_400),
            default=45.0,
            show_default=True,
            help="How long a car stays on average.",
        ),
        option(
            "--stations-file",
            type=click.Path(path_type=Path),
            help="Register (JSON array) whose stations and connectors to simulate.",
        ),
    ]

    async def run(
        self,
        *,
        stations: int | None,
        rate: float,
        faults: bool,
        seed: int,
        start: str | None,
        duration: float | None,
        session_seconds: float,
        stations_file: Path | None,
        **_: Any,
    ) -> None:
        """Publish the fleet's events until the duration is over or somebody asks to stop."""
        start_us = _start_us(start)
        plans = read_plans(stations_file, stations)
        fleet = Fleet(plans, seed=seed, start_us=start_us, rate=rate, session_s=session_seconds)
        mix = None
        if faults:
            ids = [plan.station_id for plan in plans]
            mix = FaultMix(ids, seed=seed, start_us=start_us)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for asked in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(asked, stop.set)
        async with Publisher(self.settings.bootstrap) as publisher:
            line = Line(publisher, self.settings)
            await line.open()
            await drive(fleet, mix, line, start_us=start_us, duration_s=duration, stop=stop)
            await publisher.flush()
            say(f"{publisher.acknowledged:,} records published, {fleet.visits:,} cars came")
        if mix is not None:
            for name, count in mix.struck.items():
                say(f"  fault {name}: {count:,} records")


class Line:
    """Takes deliveries to Kafka: each under the topic, key and partition its device would use."""

    def __init__(self, publisher: Publisher, settings: Settings) -> None:
        self._publisher = publisher
        self._topics = {n: settings.topic(n) for n in ("charging-sessions", "station-status")}
        self._partitions: dict[str, int] = {}

    async def open(self) -> None:
        """Look the topics up; CommandError if one is missing."""
        for topic in self._topics.values():
            self._partitions[topic] = await self._publisher.partitions(topic)

    async def send(self, deliveries: Iterable[Delivery]) -> None:
        """Hand the records over in this order."""
        for one in deliveries:
            topic = self._topics[one.topic]
            value = encode(one.event) if one.junk is None else one.junk
            key: str | None = one.station_id
            partition = None
            if one.routing is Routing.CRC32:
                partition = zlib.crc32(one.station_id.encode()) % self._partitions[topic]
            elif one.routing is Routing.NO_KEY:
                key, partition = None, one.scatter % self._partitions[topic]
            await self._publisher.send(topic, key, value, partition=partition)


async def drive(
    fleet: Fleet,
    mix: FaultMix | None,
    line: Line,
    *,
    start_us: int,
    duration_s: float | None,
    stop: asyncio.Event,
) -> None:
    """Tick the fleet along with the clock until `duration_s` is over or `stop` is set.

    The ticks are at fixed times after the start, so that what is published depends on the clock
    only in when it is published.
    """
    tick_us = fleet.tick_us
    started = time.monotonic()
    now_us, sent, ticks = start_us, 0, 0
    with Progress(None if duration_s is None else round(duration_s)) as progress:
        while not stop.is_set() and (
            duration_s is None or ticks * tick_us < duration_s * SECOND_US
        ):
            ticks += 1
            now_us = start_us + ticks * tick_us
            wait_s = started + ticks * tick_us / SECOND_US - time.monotonic()
            # Also when behind, for the signals and the acknowledgements.
            await _sleep(wait_s, stop)
            said = fleet.tick(now_us)
            arrived = said if mix is None else mix.arrive(said, now_us)
            await line.send(arrived)
            sent += len(arrived)
            if progress.due:
                elapsed = time.monotonic() - started
                progress.update(
                    round(elapsed),
                    f"{sent:,} events ({sent / elapsed:,.1f}/s)  {fleet.occupied:,} cars charging"
                    f" or parked, {fleet.visits:,} so far",
                )
    said = fleet.close(now_us)
    await line.send(said if mix is None else [*mix.arrive(said, now_us), *mix.rest()])


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _start_us(text: str | None) -> int:
    if text is None:
        return time.time_ns() // 1000
    try:
        return parse_timestamp(text)
    except TimestampError as problem:
        raise CommandError(f"--start {text!r} cannot be used: {problem}") from None


def read_plans(file: Path | None, stations: int | None) -> list[BayPlan]:
    """Read the bays to simulate; CommandError if the file is no register."""
    if file is None:
        return bay_plans(city_register(stations or _STATIONS))
    try:
        register = json.loads(file.read_text(encoding="utf-8-sig"))
        plans = bay_plans(register)
    except OSError as problem:
        raise CommandError(f"{file} cannot be read: {problem.strerror}") from None
    except ValueError as problem:
        raise CommandError(f"{file} is no register of stations: {problem}") from None
    if stations is None:
        return plans
    first = list(dict.fromkeys(plan.station_id for plan in plans))[:stations]
    return [plan for plan in plans if plan.station_id in first]
