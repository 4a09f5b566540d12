"""Which elements hold from which instant on, as far as clock and calendar decide."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple, Self, TypeAlias
from zoneinfo import ZoneInfo

from evcharge.domain.pricing.clock import stretches
from evcharge.domain.pricing.usage import Exact
from evcharge.domain.quantities import SECOND_US
from evcharge.domain.tariff.restrictions import DAY_S, Restrictions

Change: TypeAlias = tuple[Exact, int]
"""An instant in microseconds, and the elements that hold from then on as a bit mask."""


class Calendar(NamedTuple):
    """The tariff's local times, days of the week and dates."""

    everything: int
    """All elements."""
    times: tuple[tuple[int, int], ...]
    """Seconds since midnight at which an element begins or ceases to hold, 0 first; which hold then."""
    dates: tuple[int, ...]
    """Days since 1970-01-01 from which on others hold."""
    on_dates: tuple[int, ...]
    """Which hold before, between and from those dates on."""
    on_weekdays: tuple[int, ...]
    """Which hold on a day of the week, by the day's number modulo 7."""

    @classmethod
    def of(cls, elements: Sequence[Restrictions]) -> Self:
        """Make the calendar of a tariff's elements."""
        seconds = {0}.union(*({each.start_s or 0, (each.end_s or 0) % DAY_S} for each in elements))
        dates = sorted(
            {day for each in elements for day in (each.start_day, each.end_day) if day is not None}
        )
        before_all = dates[0] - 1 if dates else 0
        return cls(
            (1 << len(elements)) - 1,
            tuple(
                (second, _mask([each.holds_at_time(second) for each in elements]))
                for second in sorted(seconds)
            ),
            tuple(dates),
            tuple(
                _mask([each.holds_on_date(since) for each in elements])
                for since in (before_all, *dates)
            ),
            tuple(_mask([each.holds_on_weekday(day) for each in elements]) for day in range(7)),
        )

    def changes(self, zone: ZoneInfo, from_us: int, until_us: int) -> list[Change]:
        """Return what holds at ``from_us``, and each change from then on that comes before ``until_us``.

        Of the first change, only the mask counts: it may lie before ``from_us``.
        """
        times, dates, weekdays = self.times, self.on_dates, self.on_weekdays
        if len(times) == len(dates) == len(set(weekdays)) == 1:
            return [(from_us, self.everything)]
        from_s, until_s = from_us // SECOND_US, -(-until_us // SECOND_US)
        found: list[Change] = []
        last = -1
        for begin, end, offset in stretches(zone, from_s, max(until_s, from_s + 1)):
            local_begin, local_end = begin + offset, end + offset
            for day in range(local_begin // DAY_S, (local_end - 1) // DAY_S + 1):
                on_day = dates[bisect_right(self.dates, day)] & weekdays[day % 7]
                midnight = day * DAY_S
                for place, (second, at_time) in enumerate(times):
                    since = midnight + second
                    until = midnight + (times[place + 1][0] if place + 1 < len(times) else DAY_S)
                    mask = on_day & at_time
                    if until > local_begin and since < local_end and mask != last:
                        found.append(((max(since, local_begin) - offset) * SECOND_US, mask))
                        last = mask
        return found


def _mask(holds: Sequence[bool]) -> int:
    return sum(1 << place for place, each in enumerate(holds) if each)
