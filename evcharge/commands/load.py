"""`load`: publishes stations and tariffs from JSON files."""

from __future__ import annotations

from collections import Counter
from typing import Any

from evcharge.commands.base import ProjectCommand, argument, say
from evcharge.commands.input_file import read_input
from evcharge.commands.progress import Progress
from evcharge.errors import CommandError
from evcharge.kafka.publisher import Publisher
from evcharge.reference.files import Entry, Invalid, read_entries
from evcharge.settings import Settings
from evcharge.topics.catalogue import STATIONS, TARIFFS

_SHOWN_PROBLEMS = 10


class Load(ProjectCommand):
    """Publish stations and tariffs from JSON FILEs.

    A file holds one object, an array of objects, or objects one after another (JSON lines): stations
    (recognised by station_id) and OCPI 2.2.1 tariffs (id and elements), also mixed. `-` reads
    standard input. Everything is checked before anything is published. Workers take up the new
    versions at once; publishing the same file again does no harm.

    Example: python -m evcharge load stations.json tariffs.json
    """

    options = [  # noqa: RUF012 - declared as Faust does
        argument("files", nargs=-1, required=True, metavar="FILE..."),
    ]

    async def run(self, files: tuple[str, ...], **_: Any) -> None:
        """Check all files, publish them, wait for every acknowledgement."""
        entries = check(files)
        await publish(self.settings, entries)
        count = Counter(entry.topic for entry in entries)
        say(
            f"{_counted(count[STATIONS], 'station')} and"
            f" {_counted(count[TARIFFS], 'tariff')} published"
        )


def check(files: tuple[str, ...]) -> list[Entry]:
    """Return everything that the files hold, in their order.

    Raises:
        CommandError: a file cannot be read, or an object is invalid; the first ones are named.
    """
    entries: list[Entry] = []
    problems: list[Invalid] = []
    for file in files:
        name, content = read_input(file)
        for found in read_entries(name, content):
            if isinstance(found, Entry):
                entries.append(found)
            else:
                problems.append(found)
    if problems:
        shown = "".join(f"\n  {problem}" for problem in problems[:_SHOWN_PROBLEMS])
        hidden = len(problems) - _SHOWN_PROBLEMS
        more = f"\n  and {hidden} more" if hidden > 0 else ""
        total = len(problems) + len(entries)
        raise CommandError(
            f"nothing was published, because {len(problems)} of {total} objects"
            f" cannot be used:{shown}{more}"
        )
    if not entries:
        raise CommandError(f"nothing to publish: no object in {', '.join(files)}")
    return entries


async def publish(settings: Settings, entries: list[Entry]) -> None:
    """Publish all entries in order and return when all of them are acknowledged."""
    async with Publisher(settings.bootstrap) as publisher:
        for topic in {entry.topic for entry in entries}:
            await publisher.partitions(settings.topic(topic.name))
        with Progress(len(entries)) as progress:
            for entry in entries:
                await publisher.send(
                    settings.topic(entry.topic.name), entry.key, entry.value, partition=0
                )
                progress.update(publisher.acknowledged, f"{publisher.acknowledged:,} published")
            await publisher.flush()


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
