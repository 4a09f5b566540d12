"""Offsets of local time from UTC, and when they change: what a time zone is to a bill.

An instant has one local time, always; a local time may have no instant (the clock goes forward) or two
(it goes back). So the rules go from instants to local times and never the other way.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from evcharge.domain.quantities import MAX_INSTANT_US, MIN_INSTANT_US, SECOND_US
from evcharge.domain.tariff.restrictions import DAY_S

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_S = 3_600
_FIRST_S = MIN_INSTANT_US // SECOND_US + DAY_S
_LAST_S = MAX_INSTANT_US // SECOND_US - DAY_S
"""Beyond them local time can be in a year that `datetime` does not have; no zone changes its clock."""


class Stretch(NamedTuple):
    """A time without a change of the clock, in seconds since 1970-01-01T00:00Z."""

    from_s: int
    until_s: int
    offset_s: int
    """Local time minus UTC."""


@lru_cache(
    maxsize=4096
)  # sessions come by the day, and most of an operator's stations share a zone
def stretches_of_day(zone: ZoneInfo, day: int) -> tuple[Stretch, ...]:
    """Cut a day of UTC, by its number, where the zone's offset changes.

    No zone has ever changed its clock twice within an hour.
    """
    begin, end = day * DAY_S, (day + 1) * DAY_S
    found: list[Stretch] = []
    since, offset = begin, _offset_s(zone, begin)
    for hour in range(begin, end, _HOUR_S):
        later = _offset_s(zone, hour + _HOUR_S)
        if later != offset:
            change = _change(zone, hour, hour + _HOUR_S, later)
            found.append(Stretch(since, change, offset))
            since, offset = change, later
    if since < end:
        found.append(Stretch(since, end, offset))
    return tuple(found)


def _change(zone: ZoneInfo, before_s: int, by_s: int, later: int) -> int:
    """Return the first second at which the offset is ``later``: not yet before, surely by then."""
    while by_s - before_s > 1:
        middle = (before_s + by_s) // 2
        if _offset_s(zone, middle) == later:
            by_s = middle
        else:
            before_s = middle
    return by_s


def _offset_s(zone: ZoneInfo, instant_s: int) -> int:
    instant_s = min(max(instant_s, _FIRST_S), _LAST_S)
    offset = (_EPOCH + timedelta(seconds=instant_s)).astimezone(zone).utcoffset()
    assert offset is not None, "a ZoneInfo knows its offset at every instant"
    return offset // timedelta(seconds=1)
