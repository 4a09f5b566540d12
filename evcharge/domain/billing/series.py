"""Numbers of invoices: consecutive in each series, which is an issuer's, a year's and a lane's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from evcharge.domain.quantities import DAY_US

LANES = 64
"""A station's lane is the murmur2 of its id modulo this, whatever the number of partitions."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = 6
_NUMBER = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{6,18})", re.ASCII)


class Issuer(NamedTuple):
    """Who writes the invoices."""

    name: str = ""
    address: str = ""
    """Lines, separated by semicolons."""
    vat_id: str = ""

    @property
    def key(self) -> str:
        """What the issuer's series are told apart by: 8 hexadecimal digits.

        That is of the VAT id; of one without any, of the name. Whoever moves or is renamed goes on with
        the series; who gets another VAT id is another business and begins its own at 1.
        """
        return blake2b((self.vat_id or self.name).encode(), digest_size=4).hexdigest()


class Series(NamedTuple):
    """One sequence of numbers without a gap, of invoices and credit notes alike."""

    issuer: str
    """:attr:`Issuer.key`."""
    year: int
    """Of ``issued_at`` in UTC."""
    lane: int
    """From 0 to 63."""


def series_of(issuer: str, lane: int, issued_us: int) -> Series:
    """Return the series of what is issued at an instant for a station of a lane.

    ``issuer`` is the issuer's :attr:`Issuer.key`.
    """
    return Series(issuer, _year(issued_us // DAY_US), lane)


@lru_cache(maxsize=64)  # what is issued together is nearly always of one day
def _year(day: int) -> int:
    return (_EPOCH + timedelta(days=day)).year


def next_number(series: Series, counter: int) -> tuple[str, int]:
    """Return the number behind the last one of a series, and the counter with it.

    ``counter`` is how many numbers the series has; 0: none yet. Numbers read ``2026-17-000123``: year,
    lane, counter. They are unique for an issuer.
    """
    counter += 1
    return f"{series.year}-{series.lane:02}-{counter:0{_DIGITS}}", counter


def counter_of(series: Series, number: str) -> int | None:
    """Return the counter of a number of a series, None if it is none of this series."""
    match = _NUMBER.fullmatch(number)
    if match is None or (int(match[1]), int(match[2])) != (series.year, series.lane):
        return None
    return int(match[3])
