"""Which sessions are meant: those that start in a period."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from evcharge.domain.quantities import TimestampError, format_timestamp, parse_timestamp
from evcharge.errors import CommandError


class Period(NamedTuple):
    """From an instant on until before another; None: without a bound."""

    since_us: int | None = None
    until_us: int | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether it has both bounds."""
        return self.since_us is not None and self.until_us is not None

    def has(self, instant_us: int) -> bool:
        """Whether an instant is in it."""
        return (self.since_us is None or self.since_us <= instant_us) and (
            self.until_us is None or instant_us < self.until_us
        )

    def __str__(self) -> str:
        parts = []
        if self.since_us is not None:
            parts.append(f"from {format_timestamp(self.since_us)}")
        if self.until_us is not None:
            parts.append(f"until {format_timestamp(self.until_us)}")
        return " ".join(parts) or "at any time"


def read_period(since: str | None, until: str | None, zone: str) -> Period:
    """Return the period between two texts: RFC 3339 timestamps, or dates that begin in a time zone.

    Raises:
        CommandError: one of them is neither, or the second is not after the first.
    """
    since_us, until_us = _instant("--from", since, zone), _instant("--to", until, zone)
    if since_us is not None and until_us is not None and until_us <= since_us:
        raise CommandError(f"--to {until} is not after --from {since}: no session starts between")
    return Period(since_us, until_us)


def _instant(option: str, text: str | None, zone: str) -> int | None:
    if text is None:
        return None
    try:
        if len(text) == len("2023-05-01"):
            midnight = datetime.combine(date.fromisoformat(text), time(), ZoneInfo(zone))
            return parse_timestamp(midnight.isoformat())
        return parse_timestamp(text)
    except (TimestampError, ValueError) as problem:
        raise CommandError(f"{option} {text!r} cannot be used: {problem}") from None
