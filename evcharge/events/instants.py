"""The timestamps of events: which are accepted, and why the others are not."""

from functools import lru_cache

from evcharge.domain.quantities import (
    DAY_US,
    MAX_INSTANT_US,
    TimestampError,
    ZoneMissingError,
    parse_timestamp,
)
from evcharge.events.rejection import Reason, RefusedError, reject, shown

# Many devices speak in the same second, and a start's text returns in its end. The texts are short
# (fields.Timestamp), so the cache is too.
_parse = lru_cache(maxsize=16_384)(parse_timestamp)


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
    try:
        instant_us = _parse(text)
    except ZoneMissingError as problem:
        detail = f"{field} is {shown(text)}, no instant: {problem}."
        raise RefusedError(reject(Reason.TIMESTAMP_WITHOUT_ZONE, detail)) from None
    except TimestampError as problem:
        detail = f"{field} is {shown(text)}: {problem}."
        raise RefusedError(reject(Reason.BAD_VALUE, detail)) from None
    if instant_us > ingest_us + DAY_US:
        detail = f"{field} {shown(text)} is more than 24 h ahead of the time of its arrival."
        raise RefusedError(reject(Reason.TIMESTAMP_IN_FUTURE, detail))
    return instant_us
