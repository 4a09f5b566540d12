"""When a decision that waits for what it is about is carried out."""

from __future__ import annotations

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.bill import Session, state_at
from evcharge.domain.billing.decision import Decision, Verdict
from evcharge.domain.billing.rebill import MOST_FOLDED
from evcharge.domain.session import Lifecycle, SessionState


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


def may_come_due(account: Account | None, before: SessionState | None, count: int) -> bool:
    """Whether a decision that waits may come due among so many new records behind a state.

    It is carried out behind the record that it waited for: what comes later may then change less. Of
    very many records this is not asked, for each of them may cost as much as all before it.
    """
    if account is None or account.waiting is None or count < 2:
        return False
    last = count + (0 if before is None else before.revision)
    if last * count > MOST_FOLDED:
        return False
    return any(each.revision <= last for each in account.waiting)
