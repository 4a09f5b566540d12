"""How much of which price component a session uses: one pass over its segments, cut where needed."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import NamedTuple

from evcharge.domain.pricing.bands import whole
from evcharge.domain.pricing.calendar import Change
from evcharge.domain.pricing.plan import NOTHING, Plan
from evcharge.domain.pricing.usage import Exact, Segment, SegmentKind, Usage

_NEVER = 1 << 80
"""Microseconds or micro-watt-hours that no session reaches."""

_TIME_COLUMN = tuple(3 if kind is SegmentKind.PARKING_TIME else 2 for kind in SegmentKind)
"""Which component of a ``Choice`` a segment's time is charged with, by its kind."""

_RESERVATION = int(SegmentKind.RESERVATION)


class Used(NamedTuple):
    """What a session used, before any rounding to steps."""

    quantities: dict[int, Exact]
    """By number of the component, in its units, in the order in which they were first used."""
    last_energy: int
    """The component of ENERGY that was used last, or ``NOTHING``."""
    last_time: int
    """Of TIME or PARKING_TIME, whichever was used last."""
    last_reservation: int
    """Of a reservation's time."""
    ended_us: Exact


def walk(plan: Plan, usage: Usage) -> Used:
    """Measure a session by the components that count at each of its moments.

    A segment without time and energy changes nothing, unless the session (or the reservation) has no
    others: then its FLAT is taken at that moment.
    """
    segments = usage.segments
    at: Exact = usage.started_us
    ended_us = whole(at + sum(segment.duration_us for segment in segments))
    changes = _changes(plan, usage, ended_us)
    changes.append((_NEVER, 0))
    changes_passed = 1
    time_mask, time_next = changes[0][1], changes[1][0]
    energy_breaks, energy_masks, _ = plan.energy
    energies_passed = 0
    energy_mask = energy_masks[0]
    energy_next: Exact = energy_breaks[0] if energy_breaks else _NEVER
    power_breaks, power_masks, power_unknown = plan.power
    current_breaks, current_masks, current_unknown = plan.current

    quantities: dict[int, Exact] = {}
    consumed: Exact = 0
    # Two of each: of the session and of the reservation before it.
    flats = [NOTHING, NOTHING]
    flats_of_nothing = [NOTHING, NOTHING]
    is_something = [False, False]
    last_times = [NOTHING, NOTHING]
    last_energy = NOTHING

    for kind, duration, energy, power, current in segments:
        chooser = plan.choosers[kind]
        column = _TIME_COLUMN[kind]
        part = kind >= _RESERVATION
        end, consumed_then = at + duration, consumed + energy
        mask = (
            power_unknown if power is None else power_masks[bisect_right(power_breaks, power)]
        ) & (
            current_unknown
            if current is None
            else current_masks[bisect_right(current_breaks, current)]
        )
        while True:
            while at >= time_next:
                time_mask, changes_passed = changes[changes_passed][1], changes_passed + 1
                time_next = changes[changes_passed][0]
            while consumed >= energy_next:
                energies_passed += 1
                energy_mask = energy_masks[energies_passed]
                energy_next = (
                    energy_breaks[energies_passed]
                    if energies_passed < len(energy_breaks)
                    else _NEVER
                )
            holds = mask & time_mask & energy_mask
            choice = chooser.known.get(holds) or chooser.choose(holds)
            if not duration and not energy:
                if flats_of_nothing[part] == NOTHING:
                    flats_of_nothing[part] = choice[0]
                break
            is_something[part] = True
            if flats[part] == NOTHING:
                flats[part] = choice[0]
            is_cut = end > time_next or consumed_then > energy_next
            if is_cut:
                share = _share(duration, time_next - at, energy, energy_next - consumed)
                took, drew = whole(duration * share), whole(energy * share)
            else:
                took, drew = duration, energy
            number = choice[1]
            if drew and number != NOTHING:
                quantities[number] = quantities.get(number, 0) + drew
                last_energy = number
            number = choice[column]
            if took and number != NOTHING:
                quantities[number] = quantities.get(number, 0) + took
                last_times[part] = number
            if not is_cut:
                break
            at, consumed = whole(at + took), whole(consumed + drew)
            duration, energy = whole(duration - took), whole(energy - drew)  # noqa: PLW2901
        at, consumed = end, consumed_then

    fees: dict[int, Exact] = {
        number: 1
        for is_any, flat, of_nothing in zip(is_something, flats, flats_of_nothing, strict=True)
        if (number := flat if is_any else of_nothing) != NOTHING
    }
    return Used(fees | quantities, last_energy, last_times[0], last_times[1], ended_us)


def _share(duration: Exact, until_change: Exact, energy: Exact, until_band: Exact) -> Fraction:
    """Return how much of a segment comes before it reaches a change or leaves its band of energy."""
    by_time = Fraction(until_change) / duration if duration > until_change else Fraction(1)
    by_energy = Fraction(until_band) / energy if energy > until_band else Fraction(1)
    return min(by_time, by_energy)


def _changes(plan: Plan, usage: Usage, ended_us: Exact) -> list[Change]:
    """Return which elements hold at the start, and from when on others, by clock, date and duration."""
    until_us = -(-ended_us.numerator // ended_us.denominator)
    changes = plan.calendar.changes(usage.zone, usage.started_us, until_us)
    breaks, masks, _ = plan.duration
    if not breaks:
        return changes
    session_us = usage.started_us + _reserved_us(usage.segments)
    both: list[tuple[Exact, int, int]] = [(instant, 0, mask) for instant, mask in changes[1:]]
    both += [(session_us + after, 1, masks[place]) for place, after in enumerate(breaks, 1)]
    both.sort()
    # During a reservation the session has not begun: its duration is 0.
    by_calendar, by_duration = changes[0][1], plan.duration.at(0)
    merged: list[Change] = [(usage.started_us, by_calendar & by_duration)]
    for instant, is_duration, mask in both:
        if is_duration:
            by_duration = mask
        else:
            by_calendar = mask
        merged.append((instant, by_calendar & by_duration))
    return merged


def _reserved_us(segments: tuple[Segment, ...]) -> Exact:
    return sum(segment.duration_us for segment in segments if segment.kind.is_reservation)
