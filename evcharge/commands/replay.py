"""`replay`: real sessions of a file as the device events they stood for."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evcharge.commands.base import ProjectCommand, argument, option, say
from evcharge.commands.progress import Progress
from evcharge.domain.quantities import DAY_US, SECOND_US, format_timestamp
from evcharge.errors import CommandError
from evcharge.kafka.publisher import Publisher
from evcharge.replay.closed_sessions import read
from evcharge.replay.device_events import in_time_order, survey
from evcharge.replay.pace import Pace

if TYPE_CHECKING:
    from evcharge.replay.device_events import Contents
    from evcharge.settings import Settings

_EVENTS_PER_SESSION = 4


class Replay(ProjectCommand):
    """Publish a CSV FILE of closed sessions as live device events.

    Each row becomes what a charging station would have sent: when the car plugs in, session_start
    and the status occupied; when it unplugs, session_end with the energy and the status free. All
    events go to Kafka in time order and keep the times, ids and energies of the file.

    The file is UTF-8 with the header
    session_id,station_id,start_time,end_time,energy_kwh,user_id (an empty user_id means none; more
    columns may follow, a connector_id among them is used). Every row is checked before anything is
    published.

    Publishing the same file again does no harm: equal events count once.

    Example: python -m evcharge replay examples/workplace/sessions.csv --speed 0
    """

    options = [  # noqa: RUF012 - declared as Faust does
        argument("file", type=click.Path(path_type=Path)),
        option(
            "--speed",
            type=click.FloatRange(min=0),
            default=60.0,
            show_default=True,
            help="Seconds of event time per second: 3600 plays an hour in a second,"
            " 0 publishes as fast as possible.",
        ),
    ]

    async def run(self, file: Path, speed: float, **_: Any) -> None:
        """Check the file, publish it, wait for every acknowledgement."""
        if not math.isfinite(speed):
            raise CommandError(f"--speed {speed} is not a number of seconds per second")
        contents = survey(read(file))
        if contents.last_us > time.time_ns() // 1000 + DAY_US:
            raise CommandError(
                f"{file} holds a session of {format_timestamp(contents.last_us)}: more than 24 h ahead"
                " of now a worker would reject it"
            )
        async with Publisher(self.settings.bootstrap) as publisher:
            try:
                await publish(file, contents, speed, publisher, self.settings)
            except asyncio.CancelledError:
                say(
                    f"interrupted: {publisher.acknowledged} of"
                    f" {contents.sessions * _EVENTS_PER_SESSION} events are known to be published;"
                    " run it again to publish all, repeated events count once"
                )
                raise
            say(f"{contents.sessions} sessions published as {publisher.acknowledged} events")
        if contents.backwards:
            say(f"{contents.backwards} of them end before they start and will be held for review")


async def publish(
    file: Path, contents: Contents, speed: float, publisher: Publisher, settings: Settings
) -> None:
    """Publish the whole file at its pace and return when all of it is acknowledged."""
    topics = {name: settings.topic(name) for name in ("charging-sessions", "station-status")}
    for topic in topics.values():
        await publisher.partitions(topic)
    pace = Pace(speed, contents.first_us, contents.last_us)
    started = time.monotonic()
    sent = 0
    with Progress(contents.sessions * _EVENTS_PER_SESSION) as progress:

        def show(at_us: int) -> None:
            elapsed = time.monotonic() - started
            progress.update(
                sent, _text(sent, pace.event_time_us(elapsed, at_us)), pace.remaining_s(elapsed)
            )

        for event in in_time_order(lambda: read(file), contents):
            while (wait_s := started + pace.due_s(event.at_us) - time.monotonic()) > 0:
                show(event.at_us)
                # In slices, so that the clock runs on through a night without sessions.
                await asyncio.sleep(min(wait_s, 0.2))
            await publisher.send(topics[event.topic], event.station_id, event.value)
            sent += 1
            if progress.due:
                show(event.at_us)
        await publisher.flush()


def _text(sent: int, at_us: int) -> str:
    clock = datetime.fromtimestamp(at_us / SECOND_US, UTC)
    sessions = sent // _EVENTS_PER_SESSION
    return f"{sessions:,} sessions  {sent:,} events  {clock:%Y-%m-%d %H:%M}"
