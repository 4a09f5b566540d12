"""Instants, energies and powers between their texts on the wire and the integers inside.

Instants are microseconds since 1970-01-01T00:00Z of the proleptic Gregorian calendar, from the start
of year 1 to the end of year 9999. Leap seconds do not exist inside, as in POSIX time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from math import dist, hypot
from operator import sub
from typing import Self

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
KWH = 1_000_000_000
"""Micro-watt-hours in a kilowatt-hour."""
KW = 1_000_000
"""Milliwatts in a kilowatt."""
MICRO = 1_000_000
"""Microamperes in an ampere, millionths of a percent in a percent, microseconds in a second."""

_EXACT_BELOW = 1125899906842624.0
"""2**50, the units below which a float tells them apart; see :func:`units`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MIN_INSTANT_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
MAX_INSTANT_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

# [0-9], not \d: that matches every script's digits.
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_WITHOUT_ZONE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
)


class TimestampError(ValueError):
    """The text is no RFC 3339 timestamp; the message says what was expected."""


class ZoneMissingError(TimestampError):
    """The text is a date and time without an offset: it could be any of 26 hours."""


class InexactError(ValueError):
    """A float does not tell which whole number of units its text meant."""


class DecimalFloat(float):
    """A float that remembers the decimal text that it was parsed from."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Parse the text of a JSON number."""
        self = super().__new__(cls, text)
        self.text = text
        return self


def parse_timestamp(text: str) -> int:
    """Return the instant of an RFC 3339 timestamp, in microseconds.

    Digits beyond microseconds are dropped. A leap second (``23:59:60`` in UTC) becomes the last
    microsecond of its day. ``-00:00`` is taken as UTC; ``t`` and ``z`` may be small.

    Raises:
        ZoneMissingError: the offset is missing.
        TimestampError: anything else is wrong.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        if _WITHOUT_ZONE.fullmatch(text):
            raise ZoneMissingError("it names no offset such as Z or +02:00")
        raise TimestampError("expected an RFC 3339 timestamp such as 2023-05-01T10:15:30Z")
    date, minute, second, fraction, sign, hours, minutes = match.groups()
    instant = _minute_us(date, minute)
    if sign:
        offset = (int(hours) * 60 + int(minutes)) * 60 * SECOND_US
        instant += offset if sign == "-" else -offset
    if second < "60":
        instant += int(second) * SECOND_US
        if fraction:
            instant += int(fraction[:6].ljust(6, "0"))
    elif second == "60" and (instant + 60 * SECOND_US) % DAY_US == 0:
        instant += 60 * SECOND_US - 1
    else:
        raise TimestampError("expected seconds from 00 to 59 (60 only for a leap second)")
    if not MIN_INSTANT_US <= instant <= MAX_INSTANT_US:
        raise TimestampError("expected an instant in the years 1 to 9999 in UTC")
    return instant


@lru_cache(maxsize=4096)  # events come in the order of their time, more or less
def _minute_us(date: str, minute: str) -> int:
    try:
        start = datetime.fromisoformat(f"{date}T{minute}:00+00:00")
    except ValueError:
        raise TimestampError("expected a date and time of the calendar") from None
    return (start - _EPOCH) // _MICROSECOND


def format_timestamp(instant_us: int) -> str:
    """Return an instant as RFC 3339 in UTC with ``Z``; the fraction only as far as it is not zero.

    Raises:
        ValueError: the instant is outside the years 1 to 9999.
    """
    if not MIN_INSTANT_US <= instant_us <= MAX_INSTANT_US:
        raise ValueError(f"{instant_us} µs is outside the years 1 to 9999")
    seconds, fraction = divmod(instant_us, SECOND_US)
    minutes, second = divmod(seconds, 60)
    millis, finer = divmod(fraction, 1000)
    if finer:
        return f"{_minute_text(minutes)}{_SECONDS[second]}.{fraction:06}".rstrip("0") + "Z"
    return f"{_minute_text(minutes)}{_SECONDS[second]}{_MILLIS[millis]}"


recent_timestamp = lru_cache(maxsize=64)(format_timestamp)
"""The same, for documents in which the same instant stands several times."""


@lru_cache(maxsize=4096)
def _minute_text(minutes: int) -> str:
    return (_EPOCH + timedelta(minutes=minutes)).isoformat()[: len("2023-05-01T10:15:")]


_SECONDS = [f"{second:02}" for second in range(60)]
_MILLIS = ["Z", *(f".{millis:03}".rstrip("0") + "Z" for millis in range(1, 1000))]
"""What follows the seconds of most instants: looked up in a third of the time of formatting."""


def units(number: float, scale: int) -> int:
    """Return the whole number of units that a parsed decimal number means, exactly.

    ``scale`` units make 1: `KWH`, `KW` or `MICRO`. The result is that of :func:`exact_units` for
    every decimal text that parses to ``number``, whatever its length: parsing and multiplying are
    each off by at most 2**-53 of the value, together by a quarter of a unit below 2**50 units, and a
    product within 0.2 of a whole number then has no other whole number within a half of the text.

    Raises:
        InexactError: two texts that parse to ``number`` may mean different units; pass a
            :class:`DecimalFloat`, for which the text decides.
    """
    product = number * scale
    if -_EXACT_BELOW < product < _EXACT_BELOW:
        whole = round(product)
        if -0.2 < product - whole < 0.2:
            return whole
    if isinstance(number, DecimalFloat):
        return exact_units(number.text, scale)
    raise InexactError


def units_of_all(numbers: Sequence[float], scale: int) -> list[int]:
    """Return :func:`units` of each of many finite numbers, in half the time.

    Raises:
        InexactError: :func:`units` raises it for one of them, or knows that one only by its text.
        TypeError: one of them is no float.
    """
    products = [number * scale for number in numbers]
    # The root of a sum of squares is at least each of their roots: what it is below, all are below.
    if hypot(*products) < _EXACT_BELOW or max(map(abs, products)) < _EXACT_BELOW:
        wholes = list(map(float.__round__, products))
        if dist(products, wholes) < 0.1 or max(map(abs, map(sub, products, wholes))) < 0.2:
            return wholes
    raise InexactError


def exact_units(text: str, scale: int) -> int:
    """Return the whole number of units of a decimal text, rounded half to even.

    The time taken is linear in the length of the text.
    """
    exact = Context(prec=len(text) + 30)
    product = exact.multiply(Decimal(text), Decimal(scale))
    return int(product.to_integral_value(ROUND_HALF_EVEN, exact))


def decimal_text(amount: int, scale: int) -> str:
    """Return units as the text of a decimal number: no exponent, no zeros at the end.

    ``scale``, a power of ten, is how many units make 1.
    """
    whole, fraction = divmod(abs(amount), scale)
    sign = "-" if amount < 0 else ""
    if not fraction:
        return f"{sign}{whole}"
    # With a 1 before them, the zeros behind the point are kept.
    return f"{sign}{whole}.{str(scale + fraction)[1:].rstrip('0')}"


def kwh(energy_uwh: int) -> str:
    """Return an energy as the text of a JSON number of kilowatt-hours, exactly."""
    return decimal_text(energy_uwh, KWH)


def kw(power_mw: int) -> str:
    """Return a power as the text of a JSON number of kilowatts, exactly."""
    return decimal_text(power_mw, KW)
