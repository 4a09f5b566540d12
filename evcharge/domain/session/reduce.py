"""The reduction of a session's records in order to its state, and its two steps."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from evcharge.domain.session.energy import Metering, energy_of, has_leaped, read, settle
from evcharge.domain.session.held import HeldReason
from evcharge.domain.session.limits import Limits
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session.state import EMPTY, SessionState
from evcharge.domain.session_record import RecordKind, SessionRecord

_START = int(RecordKind.START)
_UPDATE = RecordKind.UPDATE
_RANK_OF_UPDATE = int(_UPDATE)
_AHEAD = HeldReason.TIMESTAMP_AHEAD.bit
_CONFLICTING_USER = HeldReason.CONFLICTING_USER.bit
_DECREASED = HeldReason.ENERGY_DECREASED.bit
_LEAPED = HeldReason.ENERGY_LEAPED.bit
_NO_START = HeldReason.NO_START.bit
_NO_ENERGY = HeldReason.NO_ENERGY.bit
_END_BEFORE_START = HeldReason.END_BEFORE_START.bit
_TOO_LONG = HeldReason.TOO_LONG.bit
_CONFLICTING_END = HeldReason.CONFLICTING_END.bit
_new = tuple.__new__
_facts = itemgetter(slice(2, 17))
"""What :func:`_taken` reads of a record, in one piece."""


def reduce(ordered: Sequence[SessionRecord], limits: Limits) -> SessionState:
    """Return the state of all the records of a session, which are distinct and in order."""
    ends = by_weight([record for record in ordered if record.kind >= END_RANK])
    if not ends:
        return extend(EMPTY, ordered, limits)
    starts = (record.timestamp_us for record in ordered if record.kind == _START)
    at = ordered.index(ends[0])
    state = extend(EMPTY, ordered[: at + 1], limits)
    state = close(state, ends, limits, started_us=next(starts, None))
    return extend(state, ordered[at + 1 :], limits)


def extend(state: SessionState, records: Sequence[SessionRecord], limits: Limits) -> SessionState:
    """Return the state after records that follow it in order.

    Every record tells of connector and user, and whether the device's clock is ahead. Of start, energy
    and power only starts and updates before the accepted end tell: a reading behind it changes nothing.
    An end among the records does not end the session, :func:`close` does.
    """
    extended = _taken(state, records, limits, usual=False)
    assert extended is not None
    return extended


def follow(
    state: SessionState, records: Sequence[SessionRecord], limits: Limits
) -> SessionState | None:
    """Return the state after records that follow it in the usual way, or None if any does not.

    Usual are records that are each later than the one before; before an end starts and updates, and at
    most one end, as the last; behind an end only updates.
    """
    extended = _taken(state, records, limits, usual=True)
    if extended is None or extended.last_rank < END_RANK:
        return extended
    return close(extended, records[-1:], limits, started_us=extended.started_us)


def _taken(
    state: SessionState, records: Sequence[SessionRecord], limits: Limits, *, usual: bool
) -> SessionState | None:
    """Return the state after records, their ends not closed; if ``usual``, None unless all are usual.

    One loop for :func:`extend` and :func:`follow`, so that a record means the same to both.
    """
    (revision, reasons, updated_us, last_us, kind, started_us, energy_uwh, power_mw, user_id,
     connector_id, last_seq, base_uwh, register_uwh, ended_us, closed_ingest_us, relative,
     witnesses) = state[:]  # fmt: skip
    decreased = bool(reasons & _DECREASED)
    ends = 0
    # The hottest lines of all: names for what a record says, comparisons in place of max() and min(),
    # and plain tuples, of which names are taken faster than of named ones.
    for (kind, at_us, ingest_us, _, _, read_uwh, meter_uwh, read_mw, last_seq, _, _, _,  # noqa: B007
         connector, user, stated_us) in map(_facts, records):  # fmt: skip
        if at_us <= last_us and usual:
            return None
        last_us = at_us
        if ingest_us > updated_us:  # noqa: PLR1730
            updated_us = ingest_us
        if (at_us > ingest_us or stated_us is not None) and limits.is_beyond(
            ingest_us, at_us, stated_us
        ):
            reasons |= _AHEAD
        if connector_id is None:
            connector_id = connector
        if user is not None and user != user_id:
            if user_id is None:
                user_id = user
            else:
                reasons |= _CONFLICTING_USER
        if kind is not _UPDATE:
            if usual and (ended_us is not None or ends):
                return None
            if kind >= END_RANK:
                ends += 1
                continue
            if kind == _START and started_us is None and ended_us is None:
                started_us = at_us
        if ended_us is not None:
            continue
        if read_mw is not None:
            power_mw = read_mw
        if meter_uwh is not None:
            energy_uwh, base_uwh, register_uwh, relative, decreased, leaped = read(
                Metering(energy_uwh, base_uwh, register_uwh, relative, decreased),
                read_uwh,
                meter_uwh,
                limits.max_leap_uwh,
            )
            if leaped:
                reasons |= _LEAPED
        elif read_uwh is not None:
            # What `read` does without a register.
            if read_uwh >= (energy_uwh or 0):
                energy_uwh = read_uwh
            else:
                decreased = True
    if usual and ends and kind < END_RANK:
        return None
    return _new(
        SessionState,
        (
            revision + len(records),
            reasons | _DECREASED if decreased else reasons,
            updated_us,
            last_us,
            _RANK_OF_UPDATE if kind is _UPDATE else min(int(kind), END_RANK),
            started_us,
            energy_uwh,
            power_mw,
            user_id,
            connector_id,
            last_seq,
            base_uwh,
            register_uwh,
            ended_us,
            closed_ingest_us,
            relative,
            witnesses,
        ),
    )


def by_weight(ends: Sequence[SessionRecord]) -> list[SessionRecord]:
    """Sort ends that are in order: the accepted one first.

    That is the last correction, otherwise the first end (contract, *Sessions*). What it leaves out, the
    next one that states it tells: the earlier corrections backwards, then the other ends in order.
    """
    corrections = [end for end in ends if end.correction]
    return corrections[::-1] + [end for end in ends if not end.correction]


def close(
    state: SessionState,
    ends: Sequence[SessionRecord],
    limits: Limits,
    *,
    started_us: int | None,
) -> SessionState:
    """Return the state with its accepted end, the first of ``ends``, which are sorted by weight.

    ``state`` is that of the records up to the accepted end in order, ``started_us`` the session's first
    start record, wherever that is.
    """
    accepted = ends[0]
    running = state.metering
    most_uwh = limits.max_leap_uwh
    energies = [energy_of(running, end.energy_uwh, end.meter_uwh, most_uwh) for end in ends]
    telling = 0
    if energies[0] is None and len(ends) > 1:
        telling = next((i for i, energy in enumerate(energies) if energy is not None), 0)
    told = ends[telling]
    energy_uwh, base_uwh, register_uwh, relative, decreased, leaped = settle(
        running,
        energies[telling],
        accepted.meter_uwh,
        correction=bool(told.correction),
        leaped=has_leaped(running, told.energy_uwh, told.meter_uwh, most_uwh),
    )
    ended_us = accepted.timestamp_us
    if started_us is None:
        started_us = next((at for end in ends if (at := _stated_start(end)) is not None), None)
    reasons = state.reasons & ~(_DECREASED | _LEAPED)
    if started_us is None:
        reasons |= _NO_START
    elif ended_us < started_us:
        reasons |= _END_BEFORE_START
    elif ended_us - started_us > limits.max_session_us:
        reasons |= _TOO_LONG
    if energy_uwh is None:
        reasons |= _NO_ENERGY
    if decreased:
        reasons |= _DECREASED
    if leaped:
        reasons |= _LEAPED
    if len(ends) > 1 and not accepted.correction and _contradict(ends, energies):
        reasons |= _CONFLICTING_END
    return _new(
        SessionState,
        (
            state.revision,
            reasons,
            state.updated_us,
            state.last_us,
            state.last_rank,
            started_us,
            energy_uwh,
            None,  # power_mw
            state.user_id,
            state.named_connector_id,
            state.last_seq,
            base_uwh,
            register_uwh,
            ended_us,
            accepted.ingest_us,
            relative,
            state.witnesses,
        ),
    )


def _stated_start(end: SessionRecord) -> int | None:
    """Return the start that an end states: its ``start_time``, otherwise its time less its duration."""
    if end.start_time_us is not None:
        return end.start_time_us
    return None if end.duration_us is None else end.timestamp_us - end.duration_us


def _contradict(ends: Sequence[SessionRecord], energies: Sequence[int | None]) -> bool:
    """Tell whether ends differ in time, or those that state an energy differ in it."""
    known = {energy for energy in energies if energy is not None}
    return len({end.timestamp_us for end in ends}) > 1 or len(known) > 1
