"""When a session is sealed: at the record with which it first is completed, in the order of arrival.

What is sealed goes to others for ever, so it must not depend on where chunks were cut: it is what the
session was just behind that record, whatever else arrived with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from evcharge.domain.session.advance import Advanced, advance
from evcharge.domain.session.held import HeldReason
from evcharge.domain.session.limits import Limits
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session.state import Lifecycle, SessionState
from evcharge.domain.session_record import RecordKind, SessionRecord

_START = int(RecordKind.START)
_OF_START = HeldReason.NO_START.bit | HeldReason.END_BEFORE_START.bit | HeldReason.TOO_LONG.bit
_OF_ENERGY = (
    HeldReason.NO_ENERGY.bit
    | HeldReason.ENERGY_DECREASED.bit
    | HeldReason.CONFLICTING_END.bit
    | HeldReason.ENERGY_LEAPED.bit
)


class Completion(NamedTuple):
    """What a session was when it first was completed."""

    state: SessionState
    completed_us: int
    """Ingest time of the record that completed it: one that says something new, never a repeat."""


def advance_unsealed(
    state: SessionState | None,
    new: Sequence[SessionRecord],
    stored: Callable[[], Sequence[SessionRecord]],
    limits: Limits,
) -> tuple[Advanced, Completion | None]:
    """Do what :func:`advance` does with a session that is not sealed yet; tell whether it now is.

    ``new`` are in the order of arrival, and so is the result: no other cut into calls gives another.
    """
    before = 0 if state is None else state.revision
    advanced = advance(state, new, stored, limits)
    if advanced.state.ended_us is None:
        return advanced, None
    was_open = state is None or state.ended_us is None
    # Nearly always the end is the last record, as it is if all were taken up in the usual way.
    if (was_open and advanced.appended is new) or _next_chance(state, new, 0) == len(new):
        return advanced, _completion(before, advanced.state, new[-1])
    appended: list[SessionRecord] = []
    completion, taken = None, 0
    while completion is None and taken < len(new):
        upto = _next_chance(state, new, taken)
        before = 0 if state is None else state.revision
        state, more = advance(state, new[taken:upto], lambda: [*stored(), *appended], limits)
        appended.extend(more)
        completion, taken = _completion(before, state, new[upto - 1]), upto
    if taken < len(new):
        state, more = advance(state, new[taken:], lambda: [*stored(), *appended], limits)
        appended.extend(more)
    return Advanced(advanced.state, appended), completion


def _completion(before: int, state: SessionState, record: SessionRecord) -> Completion | None:
    """Return what a record completed, of a session that had so many different ones before."""
    if state.revision == before or state.lifecycle is not Lifecycle.COMPLETED:
        return None
    return Completion(state, record.ingest_us)


def _next_chance(state: SessionState | None, new: Sequence[SessionRecord], taken: int) -> int:
    """Return how many of the records to take before the session can be completed, at most all.

    An end can complete an open session. One that is held stays so while any of its reasons outlives
    every record: else a device that sends thousands of late readings would have each of them folded.
    """
    surviving = None if state is None or state.is_open else state.reasons
    for upto, record in enumerate(new[taken:], taken + 1):
        if surviving is None:
            if record.kind >= END_RANK:
                return upto
            continue
        surviving &= ~_curable(record)
        if not surviving:
            return upto
    return len(new)


def _curable(record: SessionRecord) -> int:
    """Return the reasons that may vanish when a record joins its session's others.

    Those that are never returned stay once they hold: two users, a time ahead of its arrival, too many
    records.
    """
    if record.kind >= END_RANK:
        return _OF_START | _OF_ENERGY
    reasons = _OF_START if record.kind == _START else 0
    if record.energy_uwh is not None or record.meter_uwh is not None:
        reasons |= _OF_ENERGY
    return reasons
