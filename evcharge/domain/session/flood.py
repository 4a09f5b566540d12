"""A session with too many records: held, in bounded space, and still a function of the set.

Beyond ``Limits.max_readings`` distinct records no further one is kept, so neither repeats can be told
from new records nor all records be folded. What such a session is follows from its *witnesses*: at most
nine records of the set, each the first or the last of its sort. Of a set and of the witnesses of its
parts they are the same, so that order, duplicates and chunks still do not matter, and neither does which
records came first and are kept. The state is the fold of the witnesses; its revision stays one above the
limit. The session's connector, user, start, last reading and end are those of all its records; readings
in between are not compared, so that none is a leap, and the state's size is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from evcharge.domain.session.held import HeldReason
from evcharge.domain.session.limits import Limits
from evcharge.domain.session.order import END_RANK, distinct, in_order, value
from evcharge.domain.session.reduce import reduce
from evcharge.domain.session.state import SessionState
from evcharge.domain.session_record import RecordKind, SessionRecord, restored, stored

_LEAPED = HeldReason.ENERGY_LEAPED.bit


def witnesses(records: Iterable[SessionRecord]) -> list[SessionRecord]:
    """Return the few records that tell what a session is, in order."""
    ordered = in_order(distinct(records).values())
    ends = [record for record in ordered if record.kind >= END_RANK]
    readings = [record for record in ordered if record.kind < END_RANK]
    chosen = [
        *_first_two(ordered, lambda record: record.user_id),
        *_first(ordered, lambda record: record.connector_id is not None),
        *_first(readings, lambda record: record.kind == RecordKind.START),
        *_first(readings, lambda record: record.meter_uwh is not None),
        *_first(readings[::-1], _is_reading),
        *_first(ends[::-1], lambda record: bool(record.correction)),
        *_first_two(ends, _plain_end),
    ]
    return in_order(distinct(chosen).values())


def flooded(
    records: Iterable[SessionRecord], limits: Limits, before: SessionState | None = None
) -> SessionState:
    """Return the state of a session with too many records.

    ``records`` are all of them, or those that come on top of the flooded state ``before``, repeats or
    not.
    """
    records = list(records)
    reasons = HeldReason.TOO_MANY_READINGS.bit
    if any(map(limits.is_ahead, records)):
        reasons |= HeldReason.TIMESTAMP_AHEAD.bit
    if before is not None:
        reasons |= before.reasons & HeldReason.TIMESTAMP_AHEAD.bit
        records += kept_witnesses(before)
    telling = witnesses(records)
    state = reduce(telling, limits)
    return state._replace(
        revision=limits.max_readings + 1,
        reasons=state.reasons & ~_LEAPED | reasons,
        witnesses=tuple(map(stored, telling)),
    )


def kept_witnesses(
    state: SessionState, station_id: str = "", session_id: str = ""
) -> list[SessionRecord]:
    """Return the records that the state keeps; the rules do not need the session's identity."""
    return [restored(station_id, session_id, kept) for kept in state.witnesses or ()]


def with_witnesses(state: SessionState, kept: Sequence[SessionRecord]) -> Sequence[SessionRecord]:
    """Return the records that are known of a session: those kept, in the order of arrival.

    Of one with too many of them these are the first, and behind them stand the witnesses that came
    later: among these are the accepted end and the first start, wherever they were.
    """
    if state.witnesses is None:
        return kept
    known = set(map(value, kept))
    later = kept_witnesses(state, *kept[0][:2]) if kept else ()
    return [*kept, *(each for each in later if value(each) not in known)]


def _is_reading(record: SessionRecord) -> bool:
    return record.energy_uwh is not None or record.meter_uwh is not None


def _plain_end(end: SessionRecord) -> Hashable:
    """Return what two ends must share not to contradict each other, None of a correction."""
    return None if end.correction else (end.timestamp_us, end.energy_uwh, end.meter_uwh)


def _first(
    records: Sequence[SessionRecord], wanted: Callable[[SessionRecord], bool]
) -> list[SessionRecord]:
    """Return the first record that is wanted, if any."""
    return next(([record] for record in records if wanted(record)), [])


def _first_two(
    records: Sequence[SessionRecord], said: Callable[[SessionRecord], Hashable]
) -> list[SessionRecord]:
    """Return the first record that says anything, and the first that says something else."""
    telling = [record for record in records if said(record) is not None]
    return telling[:1] + _first(telling, lambda record: said(record) != said(telling[0]))
