"""Why a session is held for a person instead of being billed."""

from __future__ import annotations

from enum import StrEnum


class HeldReason(StrEnum):
    """The fixed list of reasons, in the order in which they are shown.

    A session's state stores its reasons as bits, a reason's bit being its place in this list: new
    reasons go at the end and none is ever removed.
    """

    NO_START = "no-start"
    """Ended, and nothing says when it started."""
    NO_ENERGY = "no-energy"
    """Ended, and nothing says how much energy it took; 0 is an amount."""
    END_BEFORE_START = "end-before-start"
    """Strictly before: equal start and end is a session of 0 s."""
    ENERGY_DECREASED = "energy-decreased"
    """A reading, or the end, is below what was read before (``energy.py``)."""
    TIMESTAMP_AHEAD = "timestamp-ahead"
    """A record's timestamp, or the start that it states, is ahead of its ingest by more than
    ``Limits.ahead_us``."""
    TOO_LONG = "too-long"
    """Ended, and longer than ``Limits.max_session_us``."""
    CONFLICTING_END = "conflicting-end"
    """Two ends differ in time or energy, and no correction settles it."""
    CONFLICTING_USER = "conflicting-user"
    """Two records name different users."""
    TOO_MANY_READINGS = "too-many-readings"
    """More distinct records than ``Limits.max_readings`` (``flood.py``)."""
    OVER_POWER = "over-power"
    """More energy than the connector's rated power can give."""
    NO_TARIFF = "no-tariff"
    """Its station names a tariff that is not known."""
    CHANGED_AFTER_INVOICE = "changed-after-invoice"
    """Later records change what was billed, or what a person decided about."""

    @property
    def bit(self) -> int:
        """The reason as a bit of ``SessionState.reasons``."""
        return 1 << _PLACES[self]


_PLACES = {reason: place for place, reason in enumerate(HeldReason)}


def held_reasons(bits: int) -> tuple[HeldReason, ...]:
    """Return the reasons that are set in ``bits``, in the order of the list."""
    return tuple(reason for reason in HeldReason if bits & reason.bit)
