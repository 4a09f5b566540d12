"""The timestamps of events: which are accepted, and why the others are not."""

import re

from evcharge.domain.quantities import (
    DAY_US,
    MAX_INSTANT_US,
    SECOND_US,
    TimestampError,
    ZoneMissingError,
    parse_timestamp,
)
from evcharge.events.rejection import Reason, RefusedError, reject, shown

_TO_MINUTE = len("2023-05-01T10:15")
_TO_SECOND = len("2023-05-01T10:15:30")
_REMEMBERED = 5_000
"""Texts of each sort: few enough to stay in the processor's cache."""

# A timestamp is a minute, a second and what follows it, and its instant the sum of theirs. Devices speak
# at any millisecond, but a backlog has few minutes. Only what was parsed is remembered.
_FINER = re.compile(r"\.([0-9]{4,6})Z")
_minutes: dict[str, int] = {}
_SECONDS = {f":{second:02}": second * SECOND_US for second in range(60)}
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
    second_us = _SECONDS.get(text[_TO_MINUTE:_TO_SECOND])
    rest_us = _rests.get(text[_TO_SECOND:])
    if minute_us is None or second_us is None or rest_us is None:
        instant_us = _parsed(text, field)
    else:
        instant_us = minute_us + second_us + rest_us
    if instant_us > ingest_us + DAY_US:
        detail = f"{field} {shown(text)} is more than 24 h ahead of the time of its arrival."
        raise RefusedError(reject(Reason.TIMESTAMP_IN_FUTURE, detail))
    return instant_us


def _parsed(text: str, field: str) -> int:
    minute_us = _minutes.get(text[:_TO_MINUTE])
    second_us = _SECONDS.get(text[_TO_MINUTE:_TO_SECOND])
    if (
        minute_us is not None
        and second_us is not None
        and (finer := _FINER.fullmatch(text, _TO_SECOND))
    ):
        return minute_us + second_us + int(finer[1].ljust(6, "0"))
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
    minute, rest = text[:_TO_MINUTE], text[_TO_SECOND:]
    second_us = _SECONDS.get(text[_TO_MINUTE:_TO_SECOND])
    # A leap second depends on its offset, and at the ends of the calendar an offset decides.
    if second_us is None or not "0002" <= minute < "9999":
        return
    minute_us = _minutes.get(minute)
    if minute_us is None:
        minute_us = parse_timestamp(f"{minute}:00Z")
        _bounded(_minutes)[minute] = minute_us
    if not rest[1:5].isdigit():  # with more than three decimals there are too many
        _bounded(_rests)[rest] = instant_us - minute_us - second_us


def _bounded(remembered: dict[str, int]) -> dict[str, int]:
    if len(remembered) >= _REMEMBERED:
        remembered.clear()
    return remembered
