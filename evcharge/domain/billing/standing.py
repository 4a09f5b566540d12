"""What a session is, from its records and its account: the contract's ``state`` and ``held_reasons``."""

from __future__ import annotations

from typing import NamedTuple

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.decision import Verdict
from evcharge.domain.session import HeldReason, Lifecycle, SessionState
from evcharge.domain.session.held import held_reasons
from evcharge.domain.session.machine import lifecycle_of


class Stands(NamedTuple):
    """How a session stands."""

    standing: Lifecycle
    reasons: tuple[HeldReason, ...]
    revision: int
    """Grows with each different record and each decision: what a further decision has to have seen."""


def standing_of(state: SessionState, account: Account | None) -> Stands:
    """Return how a session stands.

    A decision settles the reasons that its author saw, no later ones.
    """
    if account is None:
        return Stands(state.lifecycle, state.held_reasons, state.revision)
    reasons = state.reasons & ~(account.accepted or 0) | _besides(account)
    revision = state.revision + (account.decisions or 0)
    return Stands(settled_lifecycle(state, account), held_reasons(reasons), revision)


def settled_lifecycle(state: SessionState, account: Account | None) -> Lifecycle:
    """Return what a session is: :attr:`Stands.standing` alone."""
    if account is None:
        return state.lifecycle
    settled = None
    if account.is_settled:
        settled = Lifecycle.VOID if account.verdict is Verdict.VOID else Lifecycle.COMPLETED
    return lifecycle_of(state, _besides(account), accepted=account.accepted or 0, settled=settled)


def _besides(account: Account) -> int:
    """Return the reasons, as bits, that do not follow from the records alone."""
    changed = HeldReason.CHANGED_AFTER_INVOICE.bit if account.changed else 0
    return (account.doubts or 0) | changed
