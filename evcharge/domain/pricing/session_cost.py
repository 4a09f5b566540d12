"""What a session costs, from its records: of most sessions no segment has to be made."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import repeat
from operator import itemgetter
from zoneinfo import ZoneInfo

from evcharge.domain.pricing.bill import bill
from evcharge.domain.pricing.cost import Cost
from evcharge.domain.pricing.course import Course, Run
from evcharge.domain.pricing.plan import Plan
from evcharge.domain.pricing.price import price, price_of
from evcharge.domain.pricing.session_usage import session_usage
from evcharge.domain.pricing.steps import billed
from evcharge.domain.pricing.throughout import used_throughout
from evcharge.domain.pricing.usage import SegmentKind
from evcharge.domain.session.energy import LIFETIME_UWH
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session.state import SessionState
from evcharge.domain.session_record import RecordKind, SessionRecord

_START, _UPDATE = RecordKind.START, RecordKind.UPDATE
_CHARGING, _PARKING = SegmentKind.TIME, SegmentKind.PARKING_TIME
_place = SessionRecord._fields.index
_columns = itemgetter(
    *map(_place, ("kind", "timestamp_us", "energy_uwh", "meter_uwh", "charging", "power_mw"))
)
_current = itemgetter(_place("current_ua"))
_new = tuple.__new__


def session_cost(
    plan: Plan, state: SessionState, ordered: Sequence[SessionRecord], zone: ZoneInfo
) -> Cost | None:
    """Return what a session costs up to its end, or while it is open up to its last record.

    That is ``price(plan, session_usage(state, ordered, zone))``, or None where there is no such usage;
    in a fraction of the time, for every session is priced.
    """
    started = state.started_us
    ended = state.last_us if state.ended_us is None else state.ended_us
    if started is None or ended < started:
        return None
    used = used_throughout(plan, ordered, (started, ended), state.energy_uwh or 0, zone)
    if used is not None:
        return bill(plan, billed(plan, used), ended)
    course = _usual_course(plan, state, ordered)
    if course is not None:
        return price_of(plan, course, zone)
    usage = session_usage(state, ordered, zone)
    assert usage is not None, "it has a start, and an end that is not before it"
    return price(plan, usage)


def _usual_course(
    plan: Plan, state: SessionState, ordered: Sequence[SessionRecord]
) -> Course | None:
    """Return the course of a session as devices are meant to tell it, otherwise None.

    It begins with its only start and ends with its only end; each update reads the session's energy, or
    each the register, and never less than the one before.
    """
    kinds, instants, stated, registers, charging, powers = zip(*map(_columns, ordered), strict=True)
    final = state.energy_uwh or 0
    upto = len(ordered) - 1
    # The updates are those in front of it.
    behind = upto + 1 if state.ended_us is None else upto
    if (
        kinds[0] is not _START
        or kinds.count(_UPDATE) != behind - 1
        or (behind == upto and kinds[upto] < END_RANK)
        or (instants[0] == instants[upto] and not final)
    ):
        return None
    if registers[1:behind].count(None) == behind - 1:
        if stated[0]:
            return None
        energies = [0, *stated[1:behind]]
        if None in energies:
            return None
    else:
        base = registers[0]
        if None in registers[:behind] or stated[:behind].count(None) < behind:
            return None
        energies = [register - base for register in registers[:behind]]
        if energies[-1] > LIFETIME_UWH:
            return None
    if behind == upto:
        energies.append(final)
    if energies[upto] != final or sorted(energies) != energies:
        return None
    return _new(Course, (instants, energies, _runs(plan, ordered, charging, powers), instants[0]))


def _runs(
    plan: Plan,
    ordered: Sequence[SessionRecord],
    charging: Sequence[bool | None],
    powers: Sequence[int | None],
) -> list[Run]:
    """Join the segments behind each record but the last; what a record says holds until another does.

    Before, the car charges, and power and current are unknown.
    """
    segments = len(ordered) - 1
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
    currents = map(_current, ordered) if current_breaks else repeat(None)
    run_mask = -1
    # What the last record says holds in no segment any more.
    for place, asks, power, current in zip(
        range(segments), charging, powers, currents, strict=False
    ):
        if asks is not None:
            kind = _CHARGING if asks else _PARKING
        if power is not None:
            power_mask = power_masks[bisect_right(power_breaks, power)]
        if current is not None:
            current_mask = current_masks[bisect_right(current_breaks, current)]
        mask = power_mask & current_mask
        if kind is not run_kind or mask != run_mask:
            if place:
                runs.append((run_kind, run_mask, place))
            run_kind, run_mask = kind, mask
    runs.append((run_kind, run_mask, segments))
    return runs
