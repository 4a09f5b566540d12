"""When a tariff element holds: the restrictions of OCPI 2.2.1.

Lower bounds are inclusive, upper bounds exclusive; absent means unrestricted; all that are given must
hold. Times, dates and days of the week are local to the station.
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from typing import NamedTuple, TypeAlias

DAY_S = 86_400
"""Seconds on the face of the clock, also on days that are an hour longer or shorter."""

Range: TypeAlias = tuple[Fraction | None, Fraction | None]
"""From (inclusive), until (exclusive)."""


class Reservation(Enum):
    """OCPI ``ReservationRestrictionType``: the element prices a reservation, not charging."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"
    """It wins over ``RESERVATION``, dimension by dimension, if the reservation was not used."""


class Restrictions(NamedTuple):
    """All that must be true at a moment for an element to hold then."""

    start_s: int | None = None
    """Time of day, in seconds of the clock's face since midnight. Later than ``end_s``: the time wraps
    midnight, and the day of the week is that of the moment."""
    end_s: int | None = None
    """Time of day; 00:00 is the end of the day (:data:`DAY_S`)."""
    start_day: int | None = None
    """The first day, counted from 1970-01-01."""
    end_day: int | None = None
    """The day behind the last one."""
    energy_uwh: Range = (None, None)
    """The session's energy so far, in micro-watt-hours."""
    current_ua: Range = (None, None)
    """Current over all phases, in microamperes. Where it is unknown, a restriction fails."""
    power_mw: Range = (None, None)
    """Power in milliwatts; as for the current."""
    duration_us: Range = (None, None)
    """Time since the session's start (the end of its reservation), in microseconds."""
    weekdays: frozenset[int] = frozenset()
    """Monday is 0; empty means every day."""
    reservation: Reservation | None = None

    def holds_at_time(self, second: int) -> bool:
        """Whether the time of day is within, ``second`` seconds after midnight on the clock's face."""
        start = 0 if self.start_s is None else self.start_s
        end = DAY_S if self.end_s is None else self.end_s
        if start < end:
            return start <= second < end
        return second >= start or second < end

    def holds_on_date(self, day: int) -> bool:
        """Whether a date, in days since 1970-01-01, is within the dates."""
        return (self.start_day is None or self.start_day <= day) and (
            self.end_day is None or day < self.end_day
        )

    def holds_on_weekday(self, day: int) -> bool:
        """Whether the day of the week of a date, in days since 1970-01-01, is one of the weekdays."""
        # 1970-01-01 was a Thursday.
        return not self.weekdays or (day + 3) % 7 in self.weekdays
