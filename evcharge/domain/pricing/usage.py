"""What is priced: the consecutive segments of one session, each with what was used in it."""

from __future__ import annotations

from enum import IntEnum
from fractions import Fraction
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

Exact: TypeAlias = int | Fraction
"""A number without error: an integer of small units, or a fraction where those are too coarse."""


class SegmentKind(IntEnum):
    """What a segment's time is."""

    TIME = 0
    """Charging, or able to: a pause of smart charging is no parking."""
    PARKING_TIME = 1
    """Plugged in but not asking for power."""
    RESERVATION = 2
    """Reserved, and used afterwards."""
    RESERVATION_EXPIRED = 3
    """Reserved, and not used."""

    @property
    def is_reservation(self) -> bool:
        """Whether nobody is plugged in yet."""
        return self >= SegmentKind.RESERVATION


class Segment(NamedTuple):
    """A stretch of a session in which power and current are taken as constant, so energy is linear."""

    kind: SegmentKind
    duration_us: Exact
    """At least 0."""
    energy_uwh: Exact = 0
    """What was delivered in it; at least 0. In no time at all, it was delivered in that instant."""
    power_mw: Exact | None = None
    """None: unknown. Negative where the car feeds the grid."""
    current_ua: Exact | None = None
    """None: unknown."""


PlainSegment: TypeAlias = tuple[SegmentKind, Exact, Exact, Exact | None, Exact | None]
"""A :class:`Segment` of which nobody asks for a field by its name, as when it is only written down: a
plain tuple is made in half the time."""


class Usage(NamedTuple):
    """A session as its tariff sees it. Segments of a reservation come first, if there are any."""

    started_us: int
    """Start of the first segment."""
    zone: ZoneInfo
    """Where the station is."""
    segments: tuple[Segment, ...]
    """At least one; each begins where the one before it ends."""
