"""Sessions that are told as devices are meant to tell them: nearly all, and what is quick for these."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from evcharge.domain.session.energy import LIFETIME_UWH
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session.state import SessionState
from evcharge.domain.session_record import RecordKind, SessionRecord

_START, _UPDATE = RecordKind.START, RecordKind.UPDATE
_columns = itemgetter(
    *map(
        SessionRecord._fields.index,
        (
            *("kind", "timestamp_us", "energy_uwh", "meter_uwh", "charging", "power_mw"),
            "current_ua",
        ),
    )
)
_new = tuple.__new__


class Told(NamedTuple):
    """A session as devices are meant to tell it, in columns: one place for each of its records.

    It begins with its only start and ends with its only end, or with the last update so far; each update
    reads the session's energy, or each the register, and never less than the one before.
    """

    instants: Sequence[int]
    energies: Sequence[int]
    """Delivered by then, from 0 on."""
    charging: Sequence[bool | None]
    powers: Sequence[int | None]
    currents: Sequence[int | None]


def told_as_meant(state: SessionState, ordered: Sequence[SessionRecord]) -> Told | None:
    """Return the columns of a session that was told as it is meant to be, otherwise None."""
    kinds, instants, stated, registers, charging, powers, currents = zip(
        *map(_columns, ordered), strict=True
    )
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
    return _new(Told, (instants, energies, charging, powers, currents))
