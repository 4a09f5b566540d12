"""`topics`: creates the missing topics, reports differences."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from evcharge.commands.base import ProjectCommand, option
from evcharge.topics import PartitionMismatchError, Report, TopicReport, ensure_topics
from evcharge.topics.catalogue import DAY_MS


class Topics(ProjectCommand):
    """Create the missing topics; report where existing ones differ from the settings.

    Existing topics are never changed: use Kafka's own tools for that. A worker does the same before
    it starts, so running this first is only needed to look, or where workers may not create topics.
    Exits with 1 if a topic has another number of partitions than EVCHARGE_PARTITIONS asks for;
    nothing is created then.
    """

    options = [  # noqa: RUF012 - declared as Faust does
        option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
    ]

    async def run(self, *, as_json: bool = False, **_: Any) -> int | None:
        """Create and report."""
        show = print_json if as_json or self.json else print_table
        try:
            report = await ensure_topics(self.settings)
        except PartitionMismatchError as refused:
            show(refused.existing)
            raise
        show(report)
        return 0


def print_json(report: Report) -> None:
    """Print the report as one JSON object."""
    sys.stdout.write(json.dumps(dataclasses.asdict(report)) + "\n")


def print_table(report: Report) -> None:
    """Print a line for each topic, below it what differs, and a summary."""
    width = max((len(topic.name) for topic in report.topics), default=0)
    for topic in report.topics:
        partitions = f"{topic.partitions} partition{'s' if topic.partitions > 1 else ' '}"
        line = f"{topic.name:<{width}}  {partitions:>13}  {retention(topic):>9}  {state(topic)}\n"
        sys.stdout.write(line)
        for difference in topic.differences:
            sys.stdout.write(
                f"{'':<{width}}  {difference.setting} is {difference.found},"
                f" expected {difference.expected}\n"
            )
    sys.stdout.write(
        f"{len(report.topics)} topics: {len(report.created)} created,"
        f" {len(report.differences)} differences\n"
    )


def retention(topic: TopicReport) -> str:
    """Return the catalogue's retention in words."""
    if topic.retention_ms is None:
        return "unlimited"
    days = topic.retention_ms // DAY_MS
    return f"{days} day{'s' if days > 1 else ''}"


def state(topic: TopicReport) -> str:
    """Return in one word what became of a topic."""
    if topic.differences:
        return "differs"
    return "created" if topic.created else "exists"
