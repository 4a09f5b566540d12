"""How a session takes up new records: cheaply when they arrive in order, by folding anew otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from evcharge.domain.session.flood import flooded
from evcharge.domain.session.fold import fold
from evcharge.domain.session.limits import Limits
from evcharge.domain.session.order import END_RANK, distinct, first_appearance, position, value
from evcharge.domain.session.reduce import close, extend, follow
from evcharge.domain.session.state import EMPTY, SessionState
from evcharge.domain.session_record import RecordKind, SessionRecord

_UPDATE = int(RecordKind.UPDATE)
_new = tuple.__new__


class Advanced(NamedTuple):
    """What new records made of a session."""

    state: SessionState
    appended: Sequence[SessionRecord]
    """Those of the new records that are to be kept, in the order in which they arrived.

    The new records themselves if all followed in the usual way, without an end before the last."""


def advance(
    state: SessionState | None,
    new: Sequence[SessionRecord],
    stored: Callable[[], Sequence[SessionRecord]],
    limits: Limits,
) -> Advanced:
    """Return the state with the new records, equal to the :func:`fold` of all records ever given.

    ``state`` is what the last call returned (None: no record yet), ``new`` at least one record in the
    order of arrival, ``stored`` gives all records that were appended so far. It is only called when the
    new ones do not simply follow the last one in order, and never for a session with too many records.

    Appended is each record that is really new, and a repeat that was ingested before the one that is
    kept; nothing of a pure duplicate, which leaves the state as it is; and nothing from the record on
    that is one too many: so the same is kept however records are cut into calls, and it is bounded.
    """
    if state is None:
        return _follow(EMPTY, new, limits) or _refold(None, new, (), limits)
    if state.witnesses is not None:
        return Advanced(flooded(new, limits, state), ())
    return _follow(state, new, limits) or _refold(state, new, stored(), limits)


def _follow(state: SessionState, new: Sequence[SessionRecord], limits: Limits) -> Advanced | None:
    """Take up records that each follow the last one, or return None if any does not.

    Only updates may follow an end: any other record can change what came before it.
    """
    if state.revision + len(new) > limits.max_readings:
        return None
    followed = follow(state, new, limits)
    if followed is not None:
        return _new(Advanced, (followed, new))
    last_us = state.last_us
    last = None
    ended = not state.is_open
    end_at: int | None = None
    fresh: list[SessionRecord] = []
    for record in new:
        if record.timestamp_us <= last_us:
            at = state.last_position if last is None else position(last)
            if position(record) <= at:
                if last is not None and _repeats(record, last):
                    continue
                return None
        if record.kind != _UPDATE:
            if ended:
                return None
            if record.kind >= END_RANK:
                ended, end_at = True, len(fresh)
        fresh.append(record)
        last = record
        last_us = record.timestamp_us
    if end_at is None:
        return Advanced(extend(state, fresh, limits), fresh)
    state = extend(state, fresh[: end_at + 1], limits)
    state = close(state, (fresh[end_at],), limits, started_us=state.started_us)
    if behind := fresh[end_at + 1 :]:
        state = extend(state, behind, limits)
    return Advanced(state, fresh)


def _repeats(record: SessionRecord, last: SessionRecord) -> bool:
    """Tell whether a record only repeats the one before it, which devices that retry do."""
    return value(record) == value(last) and first_appearance(record) >= first_appearance(last)


def _refold(
    state: SessionState | None,
    new: Sequence[SessionRecord],
    stored: Sequence[SessionRecord],
    limits: Limits,
) -> Advanced:
    """Fold everything anew, unless the new records only repeat what is stored."""
    kept = distinct(stored)
    appended: list[SessionRecord] = []
    # One by one, so that the same is kept however records are cut into calls.
    for number, record in enumerate(new):
        what = value(record)
        known = kept.get(what)
        if known is None and len(kept) == limits.max_readings:
            return Advanced(flooded([*kept.values(), *new[number:]], limits), appended)
        if known is None or first_appearance(record) < first_appearance(known):
            kept[what] = record
            appended.append(record)
    if state is not None and not appended:
        return Advanced(state, ())
    return Advanced(fold(kept.values(), limits), appended)
