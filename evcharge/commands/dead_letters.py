"""`dead-letters`: looks at rejected records, sends them again."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import click

from evcharge.commands.base import ProjectCommand, argument, option, say
from evcharge.commands.progress import Progress
from evcharge.dead_letters.letter import Selection
from evcharge.dead_letters.listing import as_json, as_text, latest
from evcharge.dead_letters.redrive import Outcome, Place, Plan, redrive
from evcharge.errors import CommandError
from evcharge.settings import Settings
from evcharge.topics.catalogue import CATALOGUE


class dead_letters(ProjectCommand):  # noqa: N801 - Faust names the command after the class
    """Look at rejected records (list) or send them again (redrive).

    `dead-letters list` shows the newest rejected records: when and why each was rejected, where it
    was, where its dead letter is (partition:offset), its key, its size and how it begins.

    `dead-letters redrive` sends rejected records to their topics again, byte for byte, after the
    cause was mended. It remembers what it has sent: the next one sends newer dead letters only,
    unless --all or --offset asks otherwise. Interrupt and repeat it as you like, what arrives twice
    counts once. A record that is rejected again becomes a new dead letter.

    For instance

    \b
    python -m evcharge dead-letters list --reason bad-value
    python -m evcharge dead-letters redrive --reason rule-failed --dry-run
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    options = [  # noqa: RUF012 - declared as Faust does
        argument("action", type=click.Choice(["list", "redrive"])),
        option("--reason", help="Only those with this reason, such as not-json."),
        option("--topic", help="Only those that came from this topic, such as charging-sessions."),
        option(
            "--limit",
            type=click.IntRange(1, 100_000),
            default=20,
            show_default=True,
            help="list: at most so many, the newest.",
        ),
        option("--json", "json_lines", is_flag=True, help="list: one JSON object a line."),
        option(
            "--offset",
            "offsets",
            multiple=True,
            metavar="P:O",
            help="redrive: exactly this dead letter, as list names it; may be repeated.",
        ),
        option("--all", "again", is_flag=True, help="redrive: also what was sent before."),
        option("--dry-run", is_flag=True, help="redrive: only say what would be sent."),
    ]

    async def run(
        self,
        action: str,
        reason: str | None,
        topic: str | None,
        limit: int,
        json_lines: bool,
        offsets: tuple[str, ...],
        again: bool,
        dry_run: bool,
        **_: Any,
    ) -> int | None:
        """Do what the action says."""
        settings = self.settings
        selection = Selection(reason, full_name(settings, topic))
        if action == "list":
            if offsets or again or dry_run:
                raise CommandError("--offset, --all and --dry-run belong to `dead-letters redrive`")
            await show_latest(settings, selection, limit, as_lines=json_lines or self.json)
            return 0
        places = frozenset(place(text) for text in offsets)
        return await send_again(settings, Plan(selection, places, again, dry_run))


async def show_latest(
    settings: Settings, selection: Selection, limit: int, *, as_lines: bool
) -> None:
    """Print the newest dead letters that are meant."""
    with Progress(None) as progress:
        letters = await latest(
            settings,
            selection,
            limit,
            lambda done, total: progress.update(done, f"{done:,} of {total:,} dead letters read"),
        )
    for letter in letters:
        sys.stdout.write((json.dumps(as_json(letter)) if as_lines else as_text(letter)) + "\n")
    if not letters:
        say("no dead letters match")


async def send_again(settings: Settings, plan: Plan) -> int:
    """Redrive, say how many went where, and return the exit code."""
    with Progress(None) as progress:
        outcome = await redrive(
            settings,
            plan,
            lambda done, total: progress.update(done, f"{done:,} of {total:,} dead letters read"),
        )
    for line in summary(outcome, dry_run=plan.dry_run):
        say(line)
    return 1 if outcome.refused else 0


def summary(outcome: Outcome, *, dry_run: bool) -> list[str]:
    """Return in words what became of a redrive."""
    verb = "would be sent" if dry_run else "sent"
    lines = []
    if outcome.made_anew:
        lines.append(
            "the topic of the dead letters was made anew since the last redrive:"
            " nothing in it counts as sent before"
        )
    lines.append(f"{outcome.sent.total():,} dead letters {verb} again")
    lines += [
        f"  {count:,} to {topic}, rejected as {ascii(reason)[1:-1]}"
        for (topic, reason), count in sorted(outcome.sent.items())
    ]
    if outcome.homeless:
        lines.append(f"{outcome.homeless:,} name no device topic of this deployment: left alone")
    if outcome.refused:
        lines.append(f"{outcome.refused:,} are larger than their topic takes: not sent")
    return lines


def full_name(settings: Settings, topic: str | None) -> str | None:
    """Return the full name of a topic that was given with or without the deployment's prefix."""
    if topic is not None and topic in {known.name for known in CATALOGUE}:
        return settings.topic(topic)
    return topic


def place(text: str) -> Place:
    """Read ``partition:offset``."""
    match = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,18})", text, re.ASCII)
    if match is None:
        raise CommandError(f"--offset {text!r} cannot be used: expected PARTITION:OFFSET as 3:17")
    return int(match[1]), int(match[2])
