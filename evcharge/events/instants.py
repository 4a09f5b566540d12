"""The timestamps of events: which are accepted, and why the others are not."""

from evcharge.domain.quantities import (
    DAY_US,
    MAX_INSTANT_US,
    TimestampError,
    ZoneMissingError,
    parse_timestamp,
)
from evcharge.events.rejection import Reason, RefusedError, reject, shown

_TO_MINUTE = len("2023-05-01T10:15:")
_REMEMBERED = 100_000
"""Texts of each sort: all milliseconds of a minute in UTC, and some."""

# A timestamp is a minute and what follows it, and its instant the sum of theirs: devices speak at any
# millisecond, but there are few minutes and few rests. Only what was parsed is remembered.
_minutes: dict[str, int] = {}
_rests: dict[str, int] = {}


def instant(text: str, field: str, ingest_us: int) -> int:
    """Return the instant that a field states, in microseconds. How old it is plays no part.

    Raises:
        RefusedError: it is no timestamp, names no offset, or is more than 24 h after ``ingest_us``;
            or ``ingest_us`` is no time at which anything can have arrived.
    """
    if not 0 <= ingest_us <= MAX_INSTANT_US:
        # The broker's clock cannot say so: it is what a producer wrote.
        detail = (
            f"The record's time in Kafka, {ingest_us // 1000} ms, is outside the years 1970 to 9999:"
            " its topic should have message.timestamp.type=LogAppendTime."
        )
        raise RefusedError(reject(Reason.BAD_VALUE, detail))
    minute_us = _minutes.get(text[:_TO_MINUTE])
    rest_us = _rests.get(text[_TO_MINUTE:])
    instant_us = (
        _parsed(text, field) if minute_us is None or rest_us is None else minute_us + rest_us
    )
    if instant_us > ingest_us + DAY_US:
        detail = f"{field} {shown(text)} is more than 24 h ahead of the time of its arrival."
        raise RefusedError(reject(Reason.TIMESTAMP_IN_FUTURE, detail))
    return instant_us


def _parsed(text: str, field: str) -> int:
    try:
        instant_us = parse_timestamp(text)
    except ZoneMissingError as problem:
        detail = f"{field} is {shown(text)}, no instant: {problem}."
        raise RefusedError(reject(Reason.TIMESTAMP_WITHOUT_ZONE, detail)) from None
    except TimestampError as problem:
        detail = f"{field} is {shown(text)}: {problem}."
        raise RefusedError(reject(Reason.BAD_VALUE, detail)) from None
    _remember(text, instant_us)
    return instant_us


def _remember(text: str, instant_us: int) -> None:
    minute, rest = text[:_TO_MINUTE], text[_TO_MINUTE:]
    # A leap second depends on its day, and at the ends of the calendar an offset decides. A rest as long
    # as `30.123456+02:00` hardly returns.
    if "60" <= rest < "61" or not "0002" <= minute < "9999" or len(rest) > len("30.123+02:00"):
        return
    minute_us = _minutes.get(minute)
    if minute_us is None:
        minute_us = parse_timestamp(f"{minute}00Z")
        _bounded(_minutes)[minute] = minute_us
    _bounded(_rests)[rest] = instant_us - minute_us


def _bounded(remembered: dict[str, int]) -> dict[str, int]:
    if len(remembered) >= _REMEMBERED:
        remembered.clear()
    return remembered
