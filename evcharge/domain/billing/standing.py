"""What a session is, from its records and its account: the contract's ``state`` and ``held_reasons``."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.decision import Verdict
from evcharge.domain.session import HeldReason, Lifecycle, SessionState
from evcharge.domain.session.held import held_reasons


class Standing(StrEnum):
    """The contract's ``state``."""

    ACTIVE = "active"
    COMPLETED = "completed"
    HELD = "held"
    VOID = "void"


_OF_RECORDS = {
    Lifecycle.ACTIVE: Standing.ACTIVE,
    Lifecycle.COMPLETED: Standing.COMPLETED,
    Lifecycle.HELD: Standing.HELD,
}


class Stands(NamedTuple):
    """How a session stands."""

    standing: Standing
    reasons: tuple[HeldReason, ...]
    revision: int
    """Grows with each different record and each decision: what a further decision has to have seen."""


def standing_of(state: SessionState, account: Account | None) -> Stands:
    """Return how a session stands.

    A decision settles the reasons that its author saw, no later ones.
    """
    if account is None:
        return Stands(_OF_RECORDS[state.lifecycle], state.held_reasons, state.revision)
    reasons = state.reasons & ~(account.accepted or 0) | (account.doubts or 0)
    if account.changed:
        reasons |= HeldReason.CHANGED_AFTER_INVOICE.bit
    if account.is_settled:
        settled = Standing.VOID if account.verdict is Verdict.VOID else Standing.COMPLETED
        standing = Standing.HELD if reasons else settled
    elif account.doubts and state.lifecycle is Lifecycle.COMPLETED:
        standing = Standing.HELD
    else:
        standing = _OF_RECORDS[state.lifecycle]
    revision = state.revision + (account.decisions or 0)
    return Stands(standing, held_reasons(reasons), revision)
