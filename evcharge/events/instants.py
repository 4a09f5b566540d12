"""The timestamps of events: which are accepted, and why the others are not."""

import re
from collections.abc import Sequence

from evcharge.domain.quantities import (
    DAY_US,
    MAX_INSTANT_US,
    SECOND_US,
    TimestampError,
    ZoneMissingError,
    parse_timestamp,
)
from evcharge.events.quick import DoubtError
from evcharge.events.rejection import Reason, RefusedError, Rejected, reject, shown

_TO_MINUTE = len("2023-05-01T10:15")
_TO_SECOND = len("2023-05-01T10:15:30")
# Slices with names need not be made anew for each text.
_MINUTE, _SECOND, _REST = (
    slice(_TO_MINUTE),
    slice(_TO_MINUTE, _TO_SECOND),
    slice(_TO_SECOND, None),
)
_REMEMBERED = 5_000
"""Texts of each sort: few enough to stay in the processor's cache."""

# A timestamp is a minute, a second and what follows it, and its instant the sum of theirs. Devices speak
# at any millisecond, but a backlog has few minutes. A second 60 is none here: it depends on the offset.
_FINER = re.compile(r"\.([0-9]{4,6})Z")
_SOME_SECOND = "2000-01-01T00:00:00"
_SOME_SECOND_US = parse_timestamp(f"{_SOME_SECOND}Z")
_SECONDS = {f":{second:02}": second * SECOND_US for second in range(60)}


class _Minutes(dict[str, int]):
    """When the minutes of timestamps begin, in UTC, as far as they were asked for."""

    def __missing__(self, minute: str) -> int:
        # At the ends of the calendar an offset decides whether there is such an instant.
        if not "0002" <= minute < "9999":
            raise KeyError(minute)
        minute_us = parse_timestamp(f"{minute}:00Z")
        if len(self) >= _REMEMBERED:
            self.clear()
        self[minute] = minute_us
        return minute_us


class _Rests(dict[str, int]):
    """What is to be added for a fraction of a second and an offset."""

    def __missing__(self, rest: str) -> int:
        if finer := _FINER.fullmatch(rest):
            return int(finer[1].ljust(6, "0"))
        rest_us = parse_timestamp(_SOME_SECOND + rest) - _SOME_SECOND_US
        if not rest[1:5].isdigit():  # with more than three decimals there are too many
            if len(self) >= _REMEMBERED:
                self.clear()
            self[rest] = rest_us
        return rest_us


_minutes = _Minutes()
_rests = _Rests()


def instant(text: str, field: str, ingest_us: int) -> int:
    """Return the instant that a field states, in microseconds. How old it is plays no part.

    Raises:
        RefusedError: it is no timestamp, names no offset, or is more than 24 h after ``ingest_us``;
            or ``ingest_us`` is no time at which anything can have arrived.
    """
    if not 0 <= ingest_us <= MAX_INSTANT_US:
        raise RefusedError(impossible_arrival(ingest_us))
    try:
        instant_us = _minutes[text[_MINUTE]] + _SECONDS[text[_SECOND]] + _rests[text[_REST]]
    except (KeyError, TimestampError):
        instant_us = _parsed(text, field)
    if instant_us > ingest_us + DAY_US:
        detail = f"{field} {shown(text)} is more than 24 h ahead of the time of its arrival."
        raise RefusedError(reject(Reason.TIMESTAMP_IN_FUTURE, detail))
    return instant_us


def impossible_arrival(ingest_us: int) -> Rejected:
    """Return why a record is refused whose time in Kafka is not between 1970 and 9999."""
    # The broker's clock cannot say so: it is what a producer wrote.
    detail = (
        f"The record's time in Kafka, {ingest_us // 1000} ms, is outside the years 1970 to 9999:"
        " its topic should have message.timestamp.type=LogAppendTime."
    )
    return reject(Reason.BAD_VALUE, detail)


def instants(texts: Sequence[str], ingests_us: Sequence[int]) -> list[int]:
    """Return :func:`instant` of each of some texts, of which ``ingests_us`` has the times of arrival.

    Raises:
        DoubtError: one of them may have to be refused, or is a leap second.
    """
    try:
        found = [
            _minutes[text[_MINUTE]] + _SECONDS[text[_SECOND]] + _rests[text[_REST]]
            for text in texts
        ]
    except (KeyError, TimestampError):
        raise DoubtError from None
    first_us, last_us = min(ingests_us, default=0), max(ingests_us, default=0)
    if first_us < 0 or last_us > MAX_INSTANT_US or max(found, default=0) > first_us + DAY_US:
        raise DoubtError
    return found


def _parsed(text: str, field: str) -> int:
    try:
        return parse_timestamp(text)
    except ZoneMissingError as problem:
        detail = f"{field} is {shown(text)}, no instant: {problem}."
        raise RefusedError(reject(Reason.TIMESTAMP_WITHOUT_ZONE, detail)) from None
    except TimestampError as problem:
        detail = f"{field} is {shown(text)}: {problem}."
        raise RefusedError(reject(Reason.BAD_VALUE, detail)) from None
