"""Sends dead letters again to the topics that they came from, byte for byte."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from evcharge.dead_letters.letter import DeadLetter, Selection
from evcharge.dead_letters.marks import Marks
from evcharge.dead_letters.resend import Resender
from evcharge.kafka.scan import Scan
from evcharge.settings import Settings
from evcharge.topics.catalogue import DEAD_LETTERS, DEAD_LETTERS_REDRIVEN

_MARK_EVERY_S = 2.0

Place = tuple[int, int]
"""Partition and offset of a dead letter."""


@dataclass(slots=True)
class Outcome:
    """What a redrive did, or with ``dry_run`` would do."""

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By source topic and reason."""
    homeless: int = 0
    """Dead letters that name no device topic of this deployment, left alone."""
    refused: int = 0
    """Records that Kafka did not take back, being larger than the topic's limit now."""
    made_anew: bool = False
    """The topic is another one than at the last redrive, so all that is in it counts as not sent."""


class Plan(NamedTuple):
    """What a person asks for."""

    selection: Selection = Selection()
    places: Collection[Place] = ()
    """Exactly these, whether redriven before or not; empty: all that match."""
    again: bool = False
    """Also what was redriven before."""
    dry_run: bool = False


async def redrive(
    settings: Settings, plan: Plan, show: Callable[[int, int], None] = lambda _done, _total: None
) -> Outcome:
    """Send what the plan names and return when Kafka has acknowledged everything.

    What becomes a dead letter meanwhile is left for the next time. An interrupted redrive is simply
    repeated: what is sent twice counts once. ``show`` gets how many dead letters were looked at, and
    of how many.

    Raises:
        EvchargeError: Kafka cannot be reached, or stopped answering.
    """
    outcome = Outcome()
    async with (
        Scan(settings.bootstrap, settings.topic(DEAD_LETTERS.name)) as scan,
        Resender(settings) as sender,
    ):
        marks = Marks() if plan.places else await _read_marks(settings)
        if forgotten := marks.forget_another_topic(scan.ends):
            outcome.made_anew = True
            for selection in forgotten:
                await _keep(sender, plan, marks, selection)
        starts = _starts(plan, marks, scan)
        total = sum(max(0, scan.ends[p] - max(s, scan.begins[p])) for p, s in starts.items())
        looked_at = 0
        marked = time.monotonic()
        async for partition, records in scan.batches(starts):
            letters = [DeadLetter.of(record) for record in records]
            wanted = [letter for letter in letters if _wanted(letter, plan, marks)]
            await _send(wanted, sender, outcome, dry_run=plan.dry_run)
            looked_at += len(records)
            show(looked_at, total)
            marks.advance(plan.selection, {partition: records[-1].offset + 1})
            if time.monotonic() - marked > _MARK_EVERY_S:
                await _keep(sender, plan, marks, plan.selection)
                marked = time.monotonic()
        await _keep(sender, plan, marks, plan.selection)
    return outcome


async def _send(
    letters: Sequence[DeadLetter], sender: Resender, outcome: Outcome, *, dry_run: bool
) -> None:
    outputs = [(letter, sender.output(letter)) for letter in letters]
    homed = [(letter, output) for letter, output in outputs if output is not None]
    outcome.homeless += len(outputs) - len(homed)
    taken = [True] * len(homed)
    if not dry_run:
        taken = await sender.deliver([output for _, output in homed])
    for (letter, output), was_taken in zip(homed, taken, strict=True):
        if was_taken:
            outcome.sent[output.topic, letter.origin.reason or "?"] += 1
        else:
            outcome.refused += 1


def _starts(plan: Plan, marks: Marks, scan: Scan) -> dict[int, int]:
    if plan.places:
        return {
            partition: min(offset for p, offset in plan.places if p == partition)
            for partition, _ in plan.places
            if partition in scan.ends
        }
    if plan.again:
        return dict(scan.begins)
    return {partition: marks.start(plan.selection, partition) for partition in scan.ends}


def _wanted(letter: DeadLetter, plan: Plan, marks: Marks) -> bool:
    if plan.places and (letter.partition, letter.offset) not in plan.places:
        return False
    return plan.selection.matches(letter) and (
        plan.again or bool(plan.places) or not marks.done(letter)
    )


async def _read_marks(settings: Settings) -> Marks:
    async with Scan(settings.bootstrap, settings.topic(DEAD_LETTERS_REDRIVEN.name)) as scan:
        return Marks.decode(
            [(r.key, r.value) async for _, records in scan.batches() for r in records]
        )


async def _keep(sender: Resender, plan: Plan, marks: Marks, selection: Selection) -> None:
    if not (plan.dry_run or plan.places):
        await sender.keep(*marks.encode(selection))
