"""When in the day cars come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Relative to the busiest hour, by local hour: to work, at lunch, most after work. The night is
# livelier than a real one, so that a demonstration at midnight still shows something.
_BY_HOUR = (
    *(0.30, 0.30, 0.30, 0.30, 0.30, 0.35, 0.50, 0.75),
    *(0.90, 0.80, 0.65, 0.70, 0.85, 0.80, 0.65, 0.70),
    *(0.85, 1.00, 1.00, 0.90, 0.70, 0.55, 0.40, 0.35),
)


def demand(at_us: int, time_zone: tzinfo) -> float:
    """Return how many cars come at that moment, from 0.3 to 1 of the busiest hour's."""
    local = (_EPOCH + timedelta(microseconds=at_us)).astimezone(time_zone)
    into_hour = local.minute / 60
    now, following = _BY_HOUR[local.hour], _BY_HOUR[(local.hour + 1) % 24]
    return now + (following - now) * into_hour
