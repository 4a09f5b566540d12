"""Whether a session took more energy than its connector's rated power can give (``over-power``).

The rated power is reference data, so this is no part of the fold. It is one of the **terms** that are
frozen when the records alone first complete the session: what the register says then is stored with the
session. The rule is asked with it then, before every further bill, and when records come behind a bill;
never while the records alone hold the session. So the answer is a function of the set of the records and
of the stored terms, and a register that changes later changes it for no session.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import sub

from evcharge.domain.quantities import SECOND_US
from evcharge.domain.session.energy import Metering, read
from evcharge.domain.session.limits import Limits
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session.reduce import by_weight
from evcharge.domain.session.state import SessionState
from evcharge.domain.session.told import Told
from evcharge.domain.session_record import SessionRecord

_US_FOR_A_UWH = 3_600 * SECOND_US // 1_000
"""Microseconds in which a milliwatt gives a micro-watt-hour."""
_PERCENT_OF_A_UWH = 100 * _US_FOR_A_UWH


def is_over_power(
    state: SessionState,
    ordered: Sequence[SessionRecord],
    max_power_mw: int | None,
    limits: Limits,
    told: Told | None = None,
) -> bool:
    """Tell whether an ended session is held as ``over-power``.

    ``ordered`` are all of its records, each once and in order, ``state`` what they fold to,
    ``max_power_mw`` the rated power in milliwatts, None where the register states none: then never;
    ``told`` are its columns, if they are at hand.

    Between two readings, from the start to the first and from the last to the end, and over the whole
    session, the energy must not exceed what the rated power and ``Limits.power_tolerance_percent`` of it
    give in the time and ``Limits.power_tolerance_us``. The second tolerance is for clocks and for meters
    that count in coarse steps: it matters between readings that are seconds apart. Exactly at the limit
    is within it. Without start, end or energy there is nothing to compare.
    """
    if max_power_mw is None or state.duration_us is None or not state.energy_uwh:
        return False
    if _exceeds(state.energy_uwh, state.duration_us, max_power_mw, limits):
        return True
    if told is not None:
        # What the power gives is taken off beforehand: only what is left between two can be too much.
        rate = max_power_mw * (100 + limits.power_tolerance_percent)
        left = [
            energy_uwh * _PERCENT_OF_A_UWH - instant_us * rate
            for instant_us, energy_uwh in zip(told.instants, told.energies, strict=True)
        ]
        steepest: int = max(map(sub, left[1:], left))
        return steepest > rate * limits.power_tolerance_us
    return any(
        _exceeds(after[1] - before[1], after[0] - before[0], max_power_mw, limits)
        for before, after in pairwise(_readings(state, ordered, limits))
    )


def _exceeds(energy_uwh: int, duration_us: int, max_power_mw: int, limits: Limits) -> bool:
    time_us = duration_us + limits.power_tolerance_us
    allowed = max_power_mw * (100 + limits.power_tolerance_percent) * time_us
    return energy_uwh * _PERCENT_OF_A_UWH > allowed


def _readings(
    state: SessionState, ordered: Sequence[SessionRecord], limits: Limits
) -> Iterator[tuple[int, int]]:
    """Yield instant and energy so far of the start, of each reading, and of the end."""
    assert state.started_us is not None
    assert state.ended_us is not None
    assert state.energy_uwh is not None
    ends = by_weight([record for record in ordered if record.kind >= END_RANK])
    metering = Metering()
    started = False
    for record in ordered[: ordered.index(ends[0])]:
        if record.kind >= END_RANK or (record.energy_uwh is None and record.meter_uwh is None):
            continue
        metering = read(metering, record.energy_uwh, record.meter_uwh, limits.max_leap_uwh)
        if metering.energy_uwh is None:
            continue
        # Where a device told of its start too late, nothing was 0 at the start.
        if not started and record.timestamp_us >= state.started_us:
            yield state.started_us, 0
        started = True
        # A correction may have lowered the energy: what was read above it is not billed.
        yield record.timestamp_us, min(metering.energy_uwh, state.energy_uwh)
    if not started:
        yield state.started_us, 0
    yield state.ended_us, state.energy_uwh
