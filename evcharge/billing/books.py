"""A worker's books, opened for each step: where an account, its documents and its session's row meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evcharge.billing.ledger import Entry, Ledger
from evcharge.billing.step_desk import StepDesk
from evcharge.billing.waiting import Gone, settled_decisions
from evcharge.domain.billing.account import Account
from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.rebill import billed_later
from evcharge.domain.billing.settle import Settled
from evcharge.domain.billing.standing import settled_lifecycle
from evcharge.domain.billing.terms import Desk
from evcharge.domain.billing.unpriced import why_unbilled
from evcharge.domain.session import Completion, Lifecycle, Limits, SessionState
from evcharge.domain.session.forgetting import deadline_us
from evcharge.domain.session_record import StoredRecord
from evcharge.engine.step import Step
from tables.charging_sessions import SessionRow
from tables.closed_sessions import SessionId
from tables.invoices import encode_counter
from tables.kept_session import keep_session


class Books:
    """What every step of a worker needs to bill."""

    def __init__(
        self, desk: Desk, ledger: Ledger, limits: Limits, *, is_billing: bool = True
    ) -> None:
        """``is_billing``: whether a session is billed that never was."""
        self.desk = desk
        self.ledger = ledger
        self.limits = limits
        self.is_billing = is_billing

    def open(self, step: Step) -> OpenBooks:
        """Return the books as a step uses them."""
        return OpenBooks(self, step)


class Prepared(NamedTuple):
    """What is written of a session beside its own rows."""

    entry: Entry
    gone: Gone


class OpenBooks:
    """The books in one step."""

    def __init__(self, books: Books, step: Step) -> None:
        self.limits = books.limits
        self.is_billing = books.is_billing
        self.desk = StepDesk(books.desk, step)
        self.closed: dict[SessionId, None] = {}
        """Sessions that are to be forgotten some day: closed in this step, or at another time now; each
        once, in this order."""
        self._ledger = books.ledger
        self._step = step
        self._counts: dict[str, int] = {}
        self._numbers: dict[bytes, int] = {}

    def why_unbilled(self, row: SessionRow | None) -> str | None:
        """Return why the session of a row is not billed, None if it is or can be."""
        account, unpriced = (None, False) if row is None else (row.account, row.unpriced)
        return why_unbilled(account, unpriced=unpriced, is_billing=self.is_billing)

    def seal_unpriced(
        self,
        session: SessionId,
        row: SessionRow | None,
        state: SessionState,
        appended: Sequence[StoredRecord],
        completion: Completion,
    ) -> None:
        """Write that a session was completed which is not billed."""
        self._ledger.seal_unpriced(self._step, *session, completion)
        completed_us: int | None = completion.completed_us
        if completed_us == completion.state.closed_ingest_us:
            completed_us = None
        self.keep(session, row, state, appended, None, completed_us, unpriced=True)

    def prepare(self, session: SessionId, row: SessionRow | None, settled: Settled) -> Prepared:
        """Return what is written of a session's new bills; their numbers are given with that.

        Raises:
            LookupError: the invoice that is to be credited is not among the rows.
        """
        gone = settled_decisions(self._step, session, row.account if row else None, settled)
        entry = self._ledger.entry(self._step, *session, settled.outputs, self._numbers)
        tariff = self.desk.row_for(settled.account.terms)
        if tariff is not None:
            entry.rows.update([tariff])
        self._numbers.update(entry.numbers)
        return Prepared(entry, gone)

    def write(
        self,
        session: SessionId,
        row: SessionRow | None,
        state: SessionState,
        appended: Sequence[StoredRecord],
        settled: Settled,
        completed_us: int | None,
        prepared: Prepared,
    ) -> None:
        """Write what became of a session that has an account. Nothing of this raises.

        ``completed_us``: see :class:`~tables.charging_sessions.SessionRow`; ``prepared``:
        what :meth:`prepare` returned.
        """
        step, account = self._step, settled.account
        entry, gone = prepared
        entry.post(step, session[0])
        gone.post(step)
        for name in entry.counts:
            self._counts[name] = self._counts.get(name, 0) + 1
        self.keep(session, row, state, appended, account, completed_us)

    def keep(
        self,
        session: SessionId,
        row: SessionRow | None,
        state: SessionState,
        appended: Sequence[StoredRecord],
        account: Account | None,
        completed_us: int | None,
        *,
        unpriced: bool = False,
    ) -> None:
        """Keep a session that was sealed or decided about, and note if it is closed now."""
        lifecycle, memory_us = settled_lifecycle(state, account), self.limits.memory_us
        keep_session(
            self._step,
            session,
            row,
            state,
            appended,
            account,
            completed_us,
            lifecycle,
            unpriced=unpriced,
        )
        # Nothing but a seal or a decision makes a session one that is closed.
        if lifecycle in _CLOSED and (
            row is None
            or (row.account is None and not row.unpriced)
            or settled_lifecycle(row.state, row.account) not in _CLOSED
            or deadline_us(state, completed_us, memory_us)
            != deadline_us(row.state, row.completed_us, memory_us)
        ):
            self.closed[session] = None

    def close(self) -> None:
        """Write the counters of the series, and count what was written."""
        for key, counter in self._numbers.items():
            self._step.put_state(key, counter, encode_counter)
        for name, amount in self._counts.items():
            self._step.count(name, amount)


_CLOSED = (Lifecycle.COMPLETED, Lifecycle.VOID)
"""What is forgotten when its time has come."""


def completed_at(
    row: SessionRow | None, settled: Settled, decision: Decision | None = None
) -> int | None:
    """Return when a session was completed, if later than its end: by a record, or by a decision.

    Those decisions count that were taken up now, which may have waited before.
    """
    before_us, waited = (None, ()) if row is None else (row.completed_us, _waiting(row.account))
    times = [] if before_us is None else [before_us]
    # What was in doubt was held until then; and whoever has a bill can have it decided about.
    times += billed_later(settled.outputs)
    candidates = waited if decision is None else (*waited, decision)
    if candidates:
        waits = _waiting(settled.account)
        times += [each.ingest_us for each in candidates if each not in waits]
    return max(times, default=None)


def _waiting(account: Account | None) -> tuple[Decision, ...]:
    return () if account is None or account.waiting is None else account.waiting
