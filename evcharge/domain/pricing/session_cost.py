"""What a session costs, from its records: of most sessions no segment has to be made."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import sub
from typing import TypeVar
from zoneinfo import ZoneInfo

from evcharge.domain.pricing.bill import bill
from evcharge.domain.pricing.cost import Cost
from evcharge.domain.pricing.course import Course, Run
from evcharge.domain.pricing.plan import Plan
from evcharge.domain.pricing.price import price, price_of
from evcharge.domain.pricing.session_usage import session_usage
from evcharge.domain.pricing.steps import billed
from evcharge.domain.pricing.throughout import used_throughout
from evcharge.domain.pricing.usage import PlainSegment, SegmentKind
from evcharge.domain.session.limits import Limits
from evcharge.domain.session.state import SessionState
from evcharge.domain.session.told import Told, told_as_meant
from evcharge.domain.session_record import SessionRecord

_CHARGING, _PARKING = SegmentKind.TIME, SegmentKind.PARKING_TIME
_new = tuple.__new__

T = TypeVar("T")


def session_cost(
    plan: Plan,
    state: SessionState,
    ordered: Sequence[SessionRecord],
    zone: ZoneInfo,
    limits: Limits,
) -> Cost | None:
    """Return what a session costs up to its end, or while it is open up to its last record.

    That is ``price(plan, session_usage(state, ordered, zone, limits))``, or None where there is no such
    usage; in a fraction of the time, for every session is priced.
    """
    started = state.started_us
    ended = state.last_us if state.ended_us is None else state.ended_us
    if started is None or ended < started:
        return None
    used = used_throughout(plan, ordered, (started, ended), state.energy_uwh or 0, zone)
    if used is not None:
        return bill(plan, billed(plan, used), ended)
    told = told_as_meant(state, ordered)
    if told is not None:
        return price_of(plan, _course(plan, told), zone)
    usage = session_usage(state, ordered, zone, limits)
    assert usage is not None, "it has a start, and an end that is not before it"
    return price(plan, usage)


def priced_session(
    plan: Plan,
    state: SessionState,
    ordered: Sequence[SessionRecord],
    zone: ZoneInfo,
    limits: Limits,
    told: Told | None,
) -> tuple[Sequence[PlainSegment], Cost] | None:
    """Return the segments of :func:`session_usage` and :func:`session_cost`, in less time than both.

    ``told`` is :func:`~evcharge.domain.session.told.told_as_meant` of the session.
    """
    segments = None if told is None else _segments(told)
    if told is None or segments is None:
        usage = session_usage(state, ordered, zone, limits)
        return None if usage is None else (usage.segments, price(plan, usage))
    started, ended = told.instants[0], told.instants[-1]
    used = used_throughout(plan, ordered, (started, ended), told.energies[-1], zone, told)
    if used is not None:
        cost = bill(plan, billed(plan, used), ended)
    else:
        cost = price_of(plan, _course(plan, told), zone)
    return segments, cost


def _segments(told: Told) -> tuple[PlainSegment, ...] | None:
    """Return the segments between the records, None if any of them takes no time."""
    _, durations, energies, charging, powers, currents, _, _ = told
    if 0 in durations or not durations:
        return None
    kinds: Iterable[SegmentKind] = repeat(_CHARGING)
    if False in charging:
        kinds = [_PARKING if asks is False else _CHARGING for asks in _held(charging)]
    delivered = map(sub, energies[1:], energies)
    return tuple(zip(kinds, durations, delivered, _held(powers), _held(currents), strict=False))


def _held(said: Sequence[T | None]) -> Iterable[T | None]:
    """Return what held from each record on: what was said last."""
    if said.count(None) == len(said):
        return repeat(None)
    held: list[T | None] = []
    last = None
    for each in said:
        if each is not None:
            last = each
        held.append(last)
    return held


def _course(plan: Plan, told: Told) -> Course:
    instants, _, energies, charging, powers, currents, _, _ = told
    runs = _runs(plan, len(instants) - 1, charging, powers, currents)
    return _new(Course, (instants, energies, runs, instants[0]))


def _runs(
    plan: Plan,
    segments: int,
    charging: Sequence[bool | None],
    powers: Sequence[int | None],
    currents: Sequence[int | None],
) -> list[Run]:
    """Join the segments behind each record but the last; what a record says holds until another does.

    Before, the car charges, and power and current are unknown.
    """
    kind = run_kind = _CHARGING
    runs: list[Run] = []
    if not plan.restricts_power:
        mask = plan.power.unknown
        for place, asks in enumerate(charging[:segments] if False in charging else ()):
            if asks is not None and (kind := _CHARGING if asks else _PARKING) is not run_kind:
                if place:
                    runs.append((run_kind, mask, place))
                run_kind = kind
        runs.append((run_kind, mask, segments))
        return runs
    power_breaks, power_masks, power_mask = plan.power
    current_breaks, current_masks, current_mask = plan.current
    run_mask = -1
    # What the last record says holds in no segment any more.
    for place, asks, power, current in zip(
        range(segments), charging, powers, currents, strict=False
    ):
        if asks is not None:
            kind = _CHARGING if asks else _PARKING
        if power is not None:
            power_mask = power_masks[bisect_right(power_breaks, power)]
        if current is not None and current_breaks:
            current_mask = current_masks[bisect_right(current_breaks, current)]
        mask = power_mask & current_mask
        if kind is not run_kind or mask != run_mask:
            if place:
                runs.append((run_kind, run_mask, place))
            run_kind, run_mask = kind, mask
    runs.append((run_kind, run_mask, segments))
    return runs
