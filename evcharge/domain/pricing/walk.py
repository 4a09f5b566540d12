"""How much of which price component a session uses: one pass over its runs, cut where needed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from evcharge.domain.pricing.bands import whole
from evcharge.domain.pricing.calendar import Changes
from evcharge.domain.pricing.course import Course
from evcharge.domain.pricing.plan import NOTHING, Plan
from evcharge.domain.pricing.usage import Exact, SegmentKind

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


def walk(plan: Plan, course: Course, zone: ZoneInfo) -> Used:
    """Measure a session by the components that count at each of its moments.

    A segment without time and energy changes nothing, unless the session (or the reservation) has no
    others: then its FLAT is taken at that moment.
    """
    instants, energies, runs, _ = course
    at, consumed = instants[0], energies[0]
    time_breaks, time_masks = _changes(plan, course, zone)
    times_passed, time_mask = 0, time_masks[0]
    time_next: Exact = time_breaks[0] if time_breaks else _NEVER
    energy_breaks, energy_masks, _ = plan.energy
    energies_passed, energy_mask = 0, energy_masks[0]
    energy_next: Exact = energy_breaks[0] if energy_breaks else _NEVER

    quantities: dict[int, Exact] = {}
    # Two of each: of the session and of the reservation before it.
    flats = [NOTHING, NOTHING]
    flats_of_nothing = [NOTHING, NOTHING]
    is_something = [False, False]
    last_times = [NOTHING, NOTHING]
    last_energy = NOTHING
    place = 1

    for kind, mask, upto in runs:
        chooser = plan.choosers[kind]
        column = _TIME_COLUMN[kind]
        part = kind >= _RESERVATION
        end, delivered = instants[upto], energies[upto]
        while True:
            while at >= time_next:
                times_passed += 1
                time_mask = time_masks[times_passed]
                time_next = time_breaks[times_passed] if times_passed < len(time_breaks) else _NEVER
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
            if at == end and consumed == delivered:
                if flats_of_nothing[part] == NOTHING:
                    flats_of_nothing[part] = choice[0]
                break
            is_something[part] = True
            if flats[part] == NOTHING:
                flats[part] = choice[0]
            first, began, had = place, at, consumed
            if end < time_next and delivered < energy_next:
                at, consumed = end, delivered
            else:
                # Not even a run's end may come later than the break: what follows there without time,
                # or without energy, is already behind it.
                place, at, consumed = _cut(
                    course, (place, upto), (at, consumed), (time_next, energy_next)
                )
            took, drew = at - began, consumed - had
            of_energy, of_time = choice[1], choice[column]
            charges_energy = drew and of_energy != NOTHING
            if took and of_time != NOTHING:
                last_times[part] = of_time
                if of_time in quantities:
                    quantities[of_time] += took
                else:
                    if charges_energy and bisect_right(energies, had, first, upto) <= bisect_right(
                        instants, began, first, upto
                    ):
                        # Of two that are new, the one that was used first stands first.
                        quantities.setdefault(of_energy, 0)
                    quantities[of_time] = took
            if charges_energy:
                last_energy = of_energy
                if of_energy in quantities:
                    quantities[of_energy] += drew
                else:
                    quantities[of_energy] = drew
            if at == end and consumed == delivered:
                break
        place = upto + 1

    fees: dict[int, Exact] = {
        number: 1
        for is_any, flat, of_nothing in zip(is_something, flats, flats_of_nothing, strict=True)
        if (number := flat if is_any else of_nothing) != NOTHING
    }
    return Used(fees | quantities, last_energy, last_times[0], last_times[1])


def _cut(
    course: Course, places: tuple[int, int], since: tuple[Exact, Exact], until: tuple[Exact, Exact]
) -> tuple[int, Exact, Exact]:
    """Follow the course up to an instant or an energy, whichever is reached first; one of them is.

    ``places`` are where the segment ends in which we are, and the last one of the run.
    """
    instants, energies = course.instants, course.energies
    place, upto = places
    at, consumed = since
    instant, energy = until
    by_time = bisect_left(instants, instant, place, upto) if instant <= instants[upto] else upto + 1
    by_energy = bisect_left(energies, energy, place, upto) if energy <= energies[upto] else upto + 1
    cut = min(by_time, by_energy)
    if cut > place:
        at, consumed = instants[cut - 1], energies[cut - 1]
    took, drew = instants[cut] - at, energies[cut] - consumed
    if by_time < by_energy or (
        by_time == by_energy and (instant - at) * drew <= (energy - consumed) * took
    ):
        return cut, instant, _further(consumed, (instant - at) * drew, took)
    return cut, _further(at, (energy - consumed) * took, drew), energy


def _further(start: Exact, numerator: Exact, denominator: Exact) -> Exact:
    """Return ``start + numerator / denominator``."""
    quotient, rest = divmod(numerator, denominator)
    if not rest:
        return start + quotient
    return whole(Fraction(start * denominator + numerator, denominator))


def _changes(plan: Plan, course: Course, zone: ZoneInfo) -> Changes:
    """Return which elements hold at the start, and from when on others, by clock, date and duration."""
    started, ended, session_us = course.instants[0], course.instants[-1], course.session_us
    instants, masks = plan.calendar.changes(
        zone, int(started), ended.numerator // ended.denominator
    )
    breaks = plan.duration.breaks
    if not breaks:
        return instants, masks
    # During a reservation the session has not begun: its duration is 0.
    by_calendar, by_duration = masks[0], plan.duration.at(0)
    found: list[Exact] = []
    holding = [by_calendar & by_duration]
    both: list[tuple[Exact, bool, int]] = [
        (instant, False, mask) for instant, mask in zip(instants, masks[1:], strict=True)
    ]
    both += [
        (session_us + after, True, mask)
        for after, mask in zip(breaks, plan.duration.masks[1:], strict=True)
        if 0 < after <= ended - session_us
    ]
    for instant, is_duration, mask in sorted(both):
        if is_duration:
            by_duration = mask
        else:
            by_calendar = mask
        found.append(instant)
        holding.append(by_calendar & by_duration)
    return found, holding
