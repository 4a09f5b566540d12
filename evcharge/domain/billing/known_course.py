"""The course of a session that a person corrects: what records tell of it, where its times lie."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from evcharge.domain.billing.account import Facts
from evcharge.domain.pricing import Usage, session_usage
from evcharge.domain.session import Limits, SessionState
from evcharge.domain.session.order import END_RANK, position
from evcharge.domain.session.reduce import by_weight, close, extend
from evcharge.domain.session.state import EMPTY
from evcharge.domain.session_record import SessionRecord


def known_course(
    state: SessionState,
    ordered: Sequence[SessionRecord],
    facts: Facts,
    zone: ZoneInfo,
    limits: Limits,
) -> Usage:
    """Return what records tell that a session used; it may reach beyond its corrected times.

    ``ordered`` are all of its records, each once and in order, ``state`` is what they fold to, ``facts``
    are billable. Records tell the course between a start and an end. Where they have none that can be,
    it is as if a record had told the one that ``facts`` have:

    * An end before the start: the accepted end as it is, but at the given time; so readings before that
      count, and none behind it.
    * An end that never came: the session goes on until the given time as its last record left it.
    * No start, or one that is still behind the end: from the given time on, or from the first reading,
      if that is earlier.
    """
    assert facts.started_us is not None, "billable"
    assert facts.ended_us is not None, "billable"
    begins = facts.started_us if state.started_us is None else state.started_us
    if state.ended_us is None:
        state = state._replace(ended_us=max(state.last_us, facts.ended_us))
    elif state.ended_us < begins:
        state, ordered = _ended(state, ordered, facts.ended_us, limits)
    assert state.ended_us is not None, "just given"
    if state.started_us is None or state.ended_us < state.started_us:
        readings = (each.timestamp_us for each in ordered if each.kind < END_RANK)
        state = state._replace(started_us=min(facts.started_us, next(readings, facts.started_us)))
    usage = session_usage(state, ordered, zone, limits)
    assert usage is not None, "it has a start, and an end that is not before it"
    return usage


def _ended(
    state: SessionState, ordered: Sequence[SessionRecord], ended_us: int, limits: Limits
) -> tuple[SessionState, Sequence[SessionRecord]]:
    """Return the state if the accepted end had been at another time, and the readings before it."""
    accepted, *others = by_weight([record for record in ordered if record.kind >= END_RANK])
    end = accepted._replace(timestamp_us=ended_us)
    upto = position(end)
    readings = [each for each in ordered if each.kind < END_RANK and position(each) < upto]
    closed = close(
        extend(EMPTY, readings, limits), [end, *others], limits, started_us=state.started_us
    )
    return state._replace(ended_us=ended_us, energy_uwh=closed.energy_uwh), readings
