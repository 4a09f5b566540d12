"""One record of the ``charging-sessions`` topic, decoded: what the session rules are folded over."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

StoredRecord: TypeAlias = tuple[int | str | bool | None, ...]
"""A record as it is kept: its fields from ``kind`` on, without ``None`` at the end."""


class RecordKind(IntEnum):
    """Which event of a session a record is; stored in tables, so a number is never reused."""

    START = 0
    UPDATE = 1
    END = 2
    CLOSED = 3
    """A whole session in one record (no ``event`` field)."""


class SessionRecord(NamedTuple):
    """One decoded record; absent facts are ``None``.

    The first two fields are the session's identity, the next three say where and when the record was
    first appended to ``charging-sessions`` (a forwarded record keeps its first place and time).
    Stored records leave the identity out and trailing ``None`` fields too (:func:`stored`), so new
    fields go at the end. An ``event_id`` says nothing of the session: it names a message, and a device
    may repeat one under another name. It is in the log, at that place.
    """

    station_id: str
    session_id: str
    kind: RecordKind
    timestamp_us: int
    """Event time; of a closed session its ``end_time``."""
    ingest_us: int
    """The broker's append time of the first appearance."""
    partition: int
    offset: int
    energy_uwh: int | None = None
    """Energy of this session so far."""
    meter_uwh: int | None = None
    """The meter's register."""
    power_mw: int | None = None
    """Power in milliwatts (1 kW = 1_000_000)."""
    seq: int | None = None
    charging: bool | None = None
    """False: plugged in but not asking for power."""
    current_ua: int | None = None
    """Current in microamperes."""
    soc_millionths: int | None = None
    """State of charge in millionths of a percent."""
    connector_id: int | None = None
    user_id: str | None = None
    start_time_us: int | None = None
    """The start that an end or a closed session states."""
    duration_us: int | None = None
    """The duration that an end states."""
    correction: bool | None = None
    reason: str | None = None
    reservation_id: str | None = None


_KIND = SessionRecord._fields.index("kind")
_SELDOM = SessionRecord._fields.index("user_id")
_NONE_OF_SELDOM = (None,) * (len(SessionRecord._fields) - _SELDOM)


def stored(record: SessionRecord) -> StoredRecord:
    """Return a record as it is kept; most use few of the fields, and its session is told elsewhere."""
    end = _SELDOM if record[_SELDOM:] == _NONE_OF_SELDOM else len(record)
    while record[end - 1] is None:
        end -= 1
    return record[_KIND:end]


def all_stored(records: Sequence[SessionRecord]) -> list[StoredRecord]:
    """Return each record as it is kept."""
    return list(map(stored, records))


_KINDS = tuple(RecordKind)
_LENGTH = len(SessionRecord._fields) - _KIND
_MISSING = tuple((None,) * (_LENGTH - kept) for kept in range(_LENGTH + 1))
"""What was left out of a record of which so many fields are kept."""
_new = tuple.__new__


def restored(station_id: str, session_id: str, kept: StoredRecord) -> SessionRecord:
    """Return the record that :func:`stored` made this of."""
    return all_restored(station_id, session_id, [kept])[0]


def all_restored(station_id: str, session_id: str, kept: Sequence[Any]) -> list[SessionRecord]:
    """Return the records of which :func:`all_stored` made this."""
    return [
        _new(
            SessionRecord,
            (station_id, session_id, _KINDS[each[0]], *each[1:], *_MISSING[len(each)]),
        )
        for each in kept
    ]
