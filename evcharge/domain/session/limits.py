"""The thresholds of the session rules that a deployment may set."""

from __future__ import annotations

from dataclasses import dataclass

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The same limits give the same session for the same records."""

    max_session_us: int = 7 * 86_400 * _SECOND
    """Microseconds; a longer session is held as ``too-long`` (``EVCHARGE_MAX_SESSION_S``)."""
    max_readings: int = 20_000
    """Distinct records, at least 1; a session with more is held as ``too-many-readings``
    (``EVCHARGE_MAX_SESSION_READINGS``)."""
    ahead_us: int = 300 * _SECOND
    """Microseconds; a record further ahead of its ingest holds its session as ``timestamp-ahead``
    (the contract's 5 minutes)."""
