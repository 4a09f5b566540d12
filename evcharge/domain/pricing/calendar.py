"""Which elements hold from which instant on, as far as clock and calendar decide."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeAlias
from zoneinfo import ZoneInfo

from evcharge.domain.pricing.clock import stretches_of_day
from evcharge.domain.pricing.usage import Exact
from evcharge.domain.quantities import DAY_US, SECOND_US
from evcharge.domain.tariff.restrictions import DAY_S, Restrictions

Changes: TypeAlias = tuple[Sequence[Exact], Sequence[int]]
"""Instants in microseconds, and the elements that hold before, between and from them on as bit masks."""

_MOST_DAYS = 1024
"""Days of one zone that are remembered: sessions come by the day."""


class Calendar:
    """The tariff's local times, days of the week and dates."""

    def __init__(self, elements: Sequence[Restrictions]) -> None:
        seconds = {0}.union(*({each.start_s or 0, (each.end_s or 0) % DAY_S} for each in elements))
        dates = sorted(
            {day for each in elements for day in (each.start_day, each.end_day) if day is not None}
        )
        before_all = dates[0] - 1 if dates else 0
        # Seconds since midnight at which an element begins or ceases to hold, and which hold then.
        self._times = [
            (second, _mask([each.holds_at_time(second) for each in elements]))
            for second in sorted(seconds)
        ]
        # Days since 1970-01-01 from which on others hold; which hold before, between and from them on.
        self._dates = dates
        self._on_dates = [
            _mask([each.holds_on_date(since) for each in elements])
            for since in (before_all, *dates)
        ]
        # Which hold on a day of the week, by the day's number modulo 7.
        self._on_weekdays = [
            _mask([each.holds_on_weekday(day) for each in elements]) for day in range(7)
        ]
        self._days: dict[tuple[ZoneInfo, int], Changes] = {}
        self.always: int | None = None
        """What holds at every instant; None if that changes."""
        if len(self._times) == len(self._on_dates) == len(set(self._on_weekdays)) == 1:
            self.always = (1 << len(elements)) - 1

    @property
    def changes_a_day(self) -> int:
        """How often at most something else holds in 24 hours, counted from one midnight."""
        return 0 if self.always is not None else len(self._times)

    def changes(self, zone: ZoneInfo, from_us: int, until_us: int) -> Changes:
        """Return what holds from ``from_us`` on; what changes after ``until_us`` may be left out.

        What changes at ``until_us`` is not: energy can be delivered in a session's last instant.
        """
        if self.always is not None:
            return (), (self.always,)
        day, last_day = from_us // DAY_US, until_us // DAY_US
        instants, masks = self._days.get((zone, day)) or self._of_day(zone, day)
        # The first instant of a day is its midnight: one of them is always behind.
        place = bisect_right(instants, from_us)
        if day >= last_day:
            return instants[place:], masks[place:]
        found, holding = list(instants[place:]), list(masks[place:])
        for later in range(day + 1, last_day + 1):
            instants, masks = self._days.get((zone, later)) or self._of_day(zone, later)
            begin = 1 if holding[-1] == masks[1] else 0
            found += instants[begin:]
            holding += masks[begin + 1 :]
        return found, holding

    def _of_day(self, zone: ZoneInfo, utc_day: int) -> Changes:
        """Work out a day of UTC: its midnight, and each change behind it."""
        instants: list[int] = []
        masks: list[int] = []
        for begin, end, offset in stretches_of_day(zone, utc_day):
            local_begin, local_end = begin + offset, end + offset
            for day in range(local_begin // DAY_S, (local_end - 1) // DAY_S + 1):
                on_day = self._on_dates[bisect_right(self._dates, day)] & self._on_weekdays[day % 7]
                for place, (second, at_time) in enumerate(self._times, 1):
                    since = day * DAY_S + second
                    until = day * DAY_S + (
                        self._times[place][0] if place < len(self._times) else DAY_S
                    )
                    mask = on_day & at_time
                    if until > local_begin and since < local_end and mask not in masks[-1:]:
                        instants.append((max(since, local_begin) - offset) * SECOND_US)
                        masks.append(mask)
        if len(self._days) == _MOST_DAYS:
            self._days.clear()
        # Before its midnight is another day's business.
        self._days[zone, utc_day] = worked_out = (tuple(instants), (0, *masks))
        return worked_out


def _mask(holds: Sequence[bool]) -> int:
    return sum(1 << place for place, each in enumerate(holds) if each)
