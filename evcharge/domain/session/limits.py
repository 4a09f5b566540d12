"""The thresholds of the session rules that a deployment may set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

from evcharge.domain.ahead import AHEAD_US
from evcharge.domain.quantities import DAY_US, KWH, SECOND_US
from evcharge.domain.session_record import SessionRecord


class Thresholds(Protocol):
    """The settings that the rules depend on, each ``EVCHARGE_`` and the name in capitals."""

    @property
    def max_session_s(self) -> int: ...
    @property
    def max_session_readings(self) -> int: ...
    @property
    def max_session_ahead_s(self) -> int: ...
    @property
    def max_leap_kwh(self) -> int: ...
    @property
    def power_tolerance_percent(self) -> int: ...
    @property
    def power_tolerance_s(self) -> int: ...
    @property
    def session_memory_days(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The same limits give the same session for the same records."""

    max_session_us: int = 7 * DAY_US
    """Microseconds; a longer session is held as ``too-long`` (``EVCHARGE_MAX_SESSION_S``)."""
    max_readings: int = 20_000
    """Distinct records, at least 1; a session with more is held as ``too-many-readings``
    (``EVCHARGE_MAX_SESSION_READINGS``)."""
    ahead_us: int = AHEAD_US
    """Microseconds; a record further ahead of its ingest holds its session as ``timestamp-ahead``
    (``EVCHARGE_MAX_SESSION_AHEAD_S``; the contract's 5 minutes)."""
    max_leap_uwh: int = 300 * KWH
    """Micro-watt-hours; a register further above the energy so far has leaped, and one from here on is
    a lifetime count (``EVCHARGE_MAX_LEAP_KWH``, ``energy.py``)."""
    power_tolerance_percent: int = 10
    """Percent of the rated power that ``over-power`` allows above it
    (``EVCHARGE_POWER_TOLERANCE_PERCENT``)."""
    power_tolerance_us: int = 60 * SECOND_US
    """Microseconds of that power that it allows on top (``EVCHARGE_POWER_TOLERANCE_S``)."""
    memory_us: int = 100 * DAY_US
    """Microseconds after which a closed session is forgotten (``EVCHARGE_SESSION_MEMORY_DAYS``)."""

    @classmethod
    def of(cls, thresholds: Thresholds) -> Self:
        """Return the limits of a deployment's settings."""
        return cls(
            max_session_us=thresholds.max_session_s * SECOND_US,
            max_readings=thresholds.max_session_readings,
            ahead_us=thresholds.max_session_ahead_s * SECOND_US,
            max_leap_uwh=thresholds.max_leap_kwh * KWH,
            power_tolerance_percent=thresholds.power_tolerance_percent,
            power_tolerance_us=thresholds.power_tolerance_s * SECOND_US,
            memory_us=thresholds.session_memory_days * DAY_US,
        )

    def is_ahead(self, record: SessionRecord) -> bool:
        """Whether a record's timestamp, or the start that it states, is ahead of its ingest."""
        return self.is_beyond(record.ingest_us, record.timestamp_us, record.start_time_us)

    def is_beyond(self, ingest_us: int, timestamp_us: int, start_us: int | None) -> bool:
        """Whether one of these two times is too far ahead of an ingest time."""
        latest_us = ingest_us + self.ahead_us
        return timestamp_us > latest_us or (start_us is not None and start_us > latest_us)
