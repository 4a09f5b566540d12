"""The bound on the work of pricing one session: how often local time may change what it is charged."""

from __future__ import annotations

from evcharge.domain.pricing.plan import Plan
from evcharge.domain.quantities import DAY_US

MAX_CHANGES = 20_000
"""In one session: a fifth of a second of work."""

_MINUTES_A_DAY = 1_440

NEVER_MORE_US = (MAX_CHANGES // _MINUTES_A_DAY - 1) * DAY_US
"""Microseconds up to which no tariff has more of them, for its local times are whole minutes."""


def changes_in(plan: Plan, started_us: int | None, ended_us: int | None) -> int:
    """Return how often local time can change what a tariff charges between two instants, at most."""
    if started_us is None or ended_us is None or ended_us < started_us:
        return 0
    return ((ended_us - started_us) // DAY_US + 1) * plan.calendar.changes_a_day
