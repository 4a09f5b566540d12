"""Sessions throughout which the same elements hold: their totals tell what they use."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from zoneinfo import ZoneInfo

from evcharge.domain.pricing.bands import Bands
from evcharge.domain.pricing.plan import NOTHING, Choice, Plan
from evcharge.domain.pricing.usage import Exact, SegmentKind
from evcharge.domain.pricing.walk import Used
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session_record import RecordKind, SessionRecord

_UPDATE = RecordKind.UPDATE
_charging = itemgetter(SessionRecord._fields.index("charging"))
_new = tuple.__new__


def used_throughout(
    plan: Plan,
    ordered: Sequence[SessionRecord],
    span: tuple[int, int],
    energy_uwh: int,
    zone: ZoneInfo,
) -> Used | None:
    """Return what a session uses of a tariff of which nothing begins or ceases to hold in it.

    ``ordered`` are its records, ``span`` its start and its end so far. None: something may change, its
    parking has another price, or it takes a closer look to see what comes first, energy or time.
    """
    if plan.restricts_power:
        return None
    started, ended = span
    choice = _choice_throughout(plan, span, energy_uwh, zone)
    if choice is None:
        return None
    flat, of_energy, of_time, of_parking = choice
    if of_time != of_parking and False in map(_charging, ordered):
        return None
    quantities: dict[int, Exact] = {} if flat == NOTHING else {flat: 1}
    if not energy_uwh:
        of_energy = NOTHING
    elif of_energy != NOTHING:
        quantities[of_energy] = energy_uwh
    if ended == started:
        of_time = NOTHING
    elif of_time != NOTHING:
        if of_energy != NOTHING and not _begins_with_energy(ordered, started):
            return None
        quantities[of_time] = ended - started
    return _new(Used, (quantities, of_energy, of_time, NOTHING))


def _choice_throughout(
    plan: Plan, span: tuple[int, int], energy_uwh: int, zone: ZoneInfo
) -> Choice | None:
    """Return what is charged at each moment of a session, or None if that may change."""
    started, ended = span
    instants, masks = plan.calendar.changes(zone, started, ended)
    if (
        (instants and instants[0] <= ended)
        or _changes(plan.energy, energy_uwh)
        or _changes(plan.duration, ended - started)
    ):
        return None
    holds = masks[0] & plan.energy.at(0) & plan.duration.at(0)
    chooser = plan.choosers[SegmentKind.TIME]
    return chooser.known.get(holds) or chooser.choose(holds)


def _changes(bands: Bands, upto: int) -> bool:
    """Whether others hold somewhere above 0 up to a value than at 0."""
    return bool(bands.breaks) and any(0 < at <= upto for at in bands.breaks)


def _begins_with_energy(ordered: Sequence[SessionRecord], started: int) -> bool:
    """Whether there surely is energy in the session's first piece of time, of one that has any."""
    for record in ordered:
        if record.timestamp_us > started:
            if record.kind is _UPDATE:
                return bool(record.energy_uwh)
            return record.kind >= END_RANK and record is ordered[-1]
    return False
