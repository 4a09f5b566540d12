"""When a session is forgotten, with what holds it besides its records."""

from __future__ import annotations

from collections.abc import Sequence

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.standing import standing_of
from evcharge.domain.session import Lifecycle, Limits, SessionState
from evcharge.domain.session.forgetting import is_forgotten
from evcharge.domain.session.state import EMPTY
from evcharge.domain.session_record import SessionRecord

CLOSED = frozenset({Lifecycle.COMPLETED, Lifecycle.VOID})


def forgotten(session_id: str) -> str:
    """Return why a record or a decision of a forgotten session is refused."""
    return f"session {session_id} was closed so long ago that it is forgotten"


def is_occupied(state: SessionState, account: Account | None) -> bool:
    """Whether a session occupies its connector: one that a person has closed does not."""
    return state.is_open and state != EMPTY and not (account and account.is_settled)


def may_forget(
    records: Sequence[SessionRecord], decisions: Sequence[Decision], limits: Limits
) -> bool:
    """Whether one of a session's records can have come too late: a quick no for nearly all.

    What closed it was one of them, or a decision, which may have waited for them.
    """
    if not records:
        return False
    ingests = [each.ingest_us for each in records]
    first_us = min([*ingests, *(each.ingest_us for each in decisions)])
    return max(ingests) - first_us >= limits.memory_us


def is_too_late(
    state: SessionState,
    account: Account | None,
    completed_us: int | None,
    ingest_us: int,
    limits: Limits,
) -> bool:
    """Whether a session is forgotten at an ingest time; one without records never is."""
    if state == EMPTY:
        return False
    lifecycle = standing_of(state, account).standing
    return is_forgotten(state, completed_us, ingest_us, limits.memory_us, lifecycle)
