"""Sessions that are told as devices are meant to tell them: nearly all, and what is quick for these."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, zip_longest
from operator import sub
from typing import Any, NamedTuple

from evcharge.domain.session.order import END_RANK
from evcharge.domain.session.state import SessionState
from evcharge.domain.session_record import RecordKind, SessionRecord, StoredRecord

_START, _UPDATE = RecordKind.START, RecordKind.UPDATE
_KIND = SessionRecord._fields.index("kind")
_COLUMNS = SessionRecord._fields.index("current_ua") + 1 - _KIND
"""Up to the last one that is looked at."""
_new = tuple.__new__


class Told(NamedTuple):
    """A session as devices are meant to tell it, in columns: one place for each of its records.

    It begins with its only start and ends with its only end, or with the last update so far; each update
    reads the session's energy, or each the register, and never less than the one before.
    """

    instants: Sequence[int]
    durations: Sequence[int]
    """From each record to the next: one less than records."""
    energies: Sequence[int]
    """Delivered by then, from 0 on."""
    charging: Sequence[bool | None]
    powers: Sequence[int | None]
    currents: Sequence[int | None]
    partitions: Sequence[int]
    offsets: Sequence[int]

    @property
    def places(self) -> Sequence[tuple[int, int]]:
        """Partition and offset of each record in ``charging-sessions``."""
        return list(zip(self.partitions, self.offsets, strict=True))


def told_as_meant(state: SessionState, ordered: Sequence[SessionRecord]) -> Told | None:
    """Return the columns of a session that was told as it is meant to be, otherwise None."""
    columns = zip(*ordered, strict=True)
    return _told(state, list(islice(columns, _KIND, _KIND + _COLUMNS)))


def told_in_order(state: SessionState, stored: Sequence[StoredRecord]) -> Told | None:
    """Return the same of records as they are kept, or None if they did not come once and in order."""
    if len(stored) != state.revision:
        return None
    columns: list[Any] = list(islice(zip_longest(*stored), _COLUMNS))
    if len(columns) < _COLUMNS:
        columns += [(None,) * len(stored)] * (_COLUMNS - len(columns))
    told = _told(state, columns)
    return told if told is not None and told.durations and min(told.durations) > 0 else None


def _told(state: SessionState, columns: Sequence[Any]) -> Told | None:
    """Look at the columns of records, of which the first are named in :class:`SessionRecord`."""
    kinds, instants, _, partitions, offsets, stated, registers, powers, _, charging, currents = (
        columns
    )
    final = state.energy_uwh or 0
    upto = len(instants) - 1
    # The updates are those in front of it.
    behind = upto + 1 if state.ended_us is None else upto
    if (
        kinds[0] != _START
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
        if base != state.base_uwh:
            return None  # it was a placeholder
        energies = [register - base for register in registers[:behind]]
    if behind == upto:
        energies.append(final)
    if energies[upto] != final or sorted(energies) != energies:
        return None
    durations = list(map(sub, instants[1:], instants))
    return _new(
        Told,
        (instants, durations, energies, charging, powers, currents, partitions, offsets),
    )
