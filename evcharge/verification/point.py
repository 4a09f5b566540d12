"""A point of a session's course: what was taken up until then, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.decision import Decision
from evcharge.events.rejection import Rejected
from evcharge.verification.papers import Upto


class Point(NamedTuple):
    """A point of a course."""

    taken: int = 0
    """Records."""
    decided: int = 0
    account: Account | None = None
    completed_us: int | None = None
    refused: frozenset[int] = frozenset()
    declined: tuple[tuple[int, Rejected], ...] = ()
    upto: Upto = Upto()
    is_gone: bool = False
    """Whether a marker has taken the session's place by then."""
    unpriced: bool = False


def completed_with(
    at: Point, before: Point, account: Account | None, completed: Sequence[int]
) -> Point:
    """Return a point with the time from which the session is remembered on.

    That is the latest of: what made it complete later than its end, and the decisions that were taken
    up, be it at once or after having waited.
    """
    times = [*completed, *(each.ingest_us for each in taken_up_since(before, account))]
    if before.completed_us is not None:
        times.append(before.completed_us)
    return at._replace(completed_us=max(times, default=None))


def taken_up_since(before: Point, after: Account | None, *read: Decision) -> Sequence[Decision]:
    """Return the decisions that were read or had waited before, and do not wait now."""
    waiting = waiting_of(after)
    return [each for each in (*waiting_of(before.account), *read) if each not in waiting]


def waiting_of(account: Account | None) -> Sequence[Decision]:
    """Return the decisions that wait."""
    return () if account is None or account.waiting is None else account.waiting
