"""When a decision that waits for what it is about is carried out."""

from __future__ import annotations

from collections.abc import Sequence

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.bill import Session, state_at
from evcharge.domain.billing.decision import Decision, Verdict
from evcharge.domain.billing.rebill import MOST_FOLDED
from evcharge.domain.session import Lifecycle, SessionState
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session_record import SessionRecord


def is_due(decision: Decision, session: Session, account: Account) -> bool:
    """Whether all records that a decision is about are there, and the bill that is to be re-rated."""
    if decision.revision > session.state.revision:
        return False
    if decision.verdict is not Verdict.RERATE or (account.bill and account.verdict):
        return True
    return (
        account.bill > 0
        and state_at(session, decision.revision)[0].lifecycle is Lifecycle.COMPLETED
    )


def until_due(
    account: Account | None, before: SessionState | None, new: Sequence[SessionRecord]
) -> int:
    """Return how many new records are to be taken up together, all or at least one.

    Where a decision that waits may come due among them, that is up to the record behind which it does:
    it is carried out there, for what comes later may change less then.
    """
    if account is None or account.waiting is None:
        return len(new)
    known = 0 if before is None else before.revision
    until = len(new)
    for each in account.waiting:
        if each.revision > known:
            # A record is one revision at most.
            until = min(until, each.revision - known)
        elif account.bill == 0:
            until = min(until, _until_bill(before, new))
    return until


def _until_bill(before: SessionState | None, new: Sequence[SessionRecord]) -> int:
    """Return how many new records a session without a bill is given until it may have one.

    Of one that has ended it is any of them. Very many are taken together all the same, for each may cost
    ten times what it costs to fold all before it.
    """
    if before is None or before.ended_us is None:
        return next((n for n, each in enumerate(new, 1) if each.kind >= END_RANK), len(new))
    if (before.revision + len(new)) * len(new) > MOST_FOLDED // 10:
        return len(new)
    return 1
