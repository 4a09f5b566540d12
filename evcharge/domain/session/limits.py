"""The thresholds of the session rules that a deployment may set."""

from __future__ import annotations

from dataclasses import dataclass

from evcharge.domain.ahead import AHEAD_US
from evcharge.domain.quantities import DAY_US
from evcharge.domain.session_record import SessionRecord


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
    (the contract's 5 minutes)."""

    def is_ahead(self, record: SessionRecord) -> bool:
        """Whether a record's timestamp, or the start that it states, is ahead of its ingest."""
        return self.is_beyond(record.ingest_us, record.timestamp_us, record.start_time_us)

    def is_beyond(self, ingest_us: int, timestamp_us: int, start_us: int | None) -> bool:
        """Whether one of these two times is too far ahead of an ingest time."""
        latest_us = ingest_us + self.ahead_us
        return timestamp_us > latest_us or (start_us is not None and start_us > latest_us)
