"""A session in columns: where its time and its energy stand, and what could tell its parts apart."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, repeat
from typing import NamedTuple, TypeAlias

from evcharge.domain.pricing.plan import Plan
from evcharge.domain.pricing.usage import Exact, SegmentKind, Usage

Run: TypeAlias = tuple[SegmentKind, int, int]
"""Consecutive segments of one kind for which power and current let the same elements hold: the kind,
these elements as a bit mask, and the place at which the last of the segments ends."""

_RESERVATION = int(SegmentKind.RESERVATION)


class Course(NamedTuple):
    """The line from one end of a segment to the next; in between, time and energy go on evenly."""

    instants: Sequence[Exact]
    """The session's start, and where each of its segments ends, in microseconds."""
    energies: Sequence[Exact]
    """What was delivered by then, from 0 on, in micro-watt-hours."""
    runs: Sequence[Run]
    session_us: Exact
    """Where the session begins behind its reservation."""


def course_of(plan: Plan, usage: Usage) -> Course:
    """Return the course of a session's segments, as far as a tariff can tell them apart."""
    kinds, durations, energies, powers, currents = zip(*usage.segments, strict=True)
    instants = list(accumulate(durations, initial=usage.started_us))
    masks = (
        map(holding, repeat(plan), powers, currents)
        if plan.restricts_power
        else repeat(plan.power.unknown, len(kinds))
    )
    # A reservation comes first.
    reserved = sum(map(_RESERVATION.__le__, kinds)) if kinds[0] >= _RESERVATION else 0
    return Course(
        instants, list(accumulate(energies, initial=0)), _runs(kinds, masks), instants[reserved]
    )


def holding(plan: Plan, power_mw: Exact | None, current_ua: Exact | None) -> int:
    """Return the elements that hold at a power and a current, None where these are unknown."""
    power, current = plan.power, plan.current
    return (
        power.unknown if power_mw is None else power.masks[bisect_right(power.breaks, power_mw)]
    ) & (
        current.unknown
        if current_ua is None
        else current.masks[bisect_right(current.breaks, current_ua)]
    )


def _runs(kinds: Iterable[SegmentKind], masks: Iterable[int]) -> list[Run]:
    """Join consecutive segments of one kind and one mask."""
    runs: list[Run] = []
    kind_so_far: SegmentKind | None = None
    mask_so_far = upto = 0
    for kind, mask in zip(kinds, masks, strict=True):
        if kind is not kind_so_far or mask != mask_so_far:
            if kind_so_far is not None:
                runs.append((kind_so_far, mask_so_far, upto))
            kind_so_far, mask_so_far = kind, mask
        upto += 1
    if kind_so_far is not None:
        runs.append((kind_so_far, mask_so_far, upto))
    return runs
