"""The rows of one session, compared with what its records come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.standing import standing_of
from evcharge.domain.session import Lifecycle, SessionState
from evcharge.domain.session.order import distinct
from evcharge.domain.session.state import EMPTY
from evcharge.domain.session_record import SessionRecord
from evcharge.events.rejection import Rejected
from evcharge.events.session_decisions import decode_session_decisions
from evcharge.verification.log import Ended
from evcharge.verification.memory import is_occupied
from evcharge.verification.report import Report, changed_fields
from evcharge.verification.rows import Rows, read_row
from evcharge.verification.session_sources import SessionId, named
from evcharge.verification.sources import Arrival
from tables.charging_sessions import (
    PRESENT,
    SessionRow,
    block_key,
    decode_records,
    decode_tail,
    index_key,
    open_key,
)
from tables.held_sessions import held_key
from tables.waiting_decisions import decode_waiting, waiting_key

T = TypeVar("T")


class SessionRows:
    """One session's rows in a partition."""

    def __init__(
        self,
        where: str,
        rows: Rows,
        session: SessionId,
        row: SessionRow | None,
        report: Report,
    ) -> None:
        """``row`` is its own one, None if it has none."""
        self._where = where
        self._rows = rows
        self._session = session
        self._name = named(session)
        self._row = row
        self._report = report

    def kept(self) -> Sequence[SessionRecord]:
        """Return the records that the table keeps, in their order."""
        kept: list[SessionRecord] = []
        row = self._row
        if row is None:
            return kept
        for number in self._rows.numbered(0, row.blocks):
            what = f"block {number} of its records"
            block = self._rows.take(block_key(*self._session, number))
            if block is None:
                self.differs("missing", what)
            else:
                kept += self._records(what, block, partial(decode_records, *self._session))
        return kept + self._records(
            "its last records", row.tail, lambda _: decode_tail(*self._session, row)
        )

    def unlike(self, ended: Ended) -> str | None:
        """Return how the account, the seal or the time of completion differ from what has to be."""
        row = self._row
        if row is None:
            return None
        if row.unpriced != ended.unpriced:
            return "a row says sealed without a price that was not, or does not"
        if (row.account, row.completed_us) == (ended.account, ended.completed_us):
            return None
        if row.completed_us != ended.completed_us:
            return f"completed at {row.completed_us} instead of {ended.completed_us}"
        if row.account is None or ended.account is None:
            return f"the account is {row.account} instead of {ended.account}"
        return f"in the account, {changed_fields(ended.account, row.account)}"

    def unlike_at_all(self, ended: Ended) -> str | None:
        """As :meth:`unlike`, and in the state, which tells what was refused."""
        if self._row is not None and self._row.state != ended.state:
            return changed_fields(ended.state, self._row.state)
        return self.unlike(ended)

    def check(self, state: SessionState, account: Account | None) -> None:
        """Compare the rows with the state that the records come to, and what was decided."""
        station_id, session_id = self._session
        is_known = state != EMPTY
        if (self._rows.take(index_key(session_id, station_id)) == PRESENT) != is_known:
            self.differs("missing" if is_known else "surplus", "its index row")
        is_open = is_occupied(state, account)
        if (self._rows.take(open_key(station_id, session_id)) == PRESENT) != is_open:
            what = "open without a row that says so" if is_open else "ended, but a row says open"
            self.differs("changed", what)
        if (self._rows.take(held_key(*self._session)) == PRESENT) != (
            is_known and standing_of(state, account).standing is Lifecycle.HELD
        ):
            self.differs("changed", "a row says held that is not, or none does")
        for decision in (account.waiting or ()) if account else ():
            self._check_waiting(decision)
        if self._row is None:
            self.differs("missing", "its row")
        elif self._row.state != state:
            self.differs("changed", changed_fields(state, self._row.state))

    def _check_waiting(self, decision: Decision) -> None:
        """Check that the record of a decision that waits is kept."""
        name = f"the record of decision {decision.decision_id}, which waits"
        value = self._rows.take(waiting_key(*self._session, decision.offset))
        if value is None:
            self.differs("missing", name)
            return
        kept = self._read(name, value, decode_waiting)
        if kept is None:
            return
        place = decision.partition, decision.offset
        at_ms = decision.ingest_us // 1_000
        (said,) = decode_session_decisions(
            [Arrival(kept.key, kept.value, at_ms, *place, tuple(kept.headers))]
        )
        if isinstance(said, Rejected) or said[:2] != self._session or said.decision != decision:
            self.differs("changed", name)

    def check_kept(self, kept: Sequence[SessionRecord], records: Sequence[SessionRecord]) -> None:
        """Compare the records kept with those that were to be: not refused, and not too many.

        Of equal records the first appearance counts. It may have been found after another one (a
        rerouted record): then both are kept.
        """
        surplus = set(kept) - set(records)
        if surplus:
            self.differs("surplus", f"records kept that never came, or too many: {surplus}")
        if len(set(kept)) < len(kept):
            self.differs("repeated", "a record is kept twice")
        missing = set(distinct(records).values()) - set(kept)
        if missing:
            self.differs("missing", f"records not kept: {missing}")

    def _records(
        self, what: str, row: bytes, decode: Callable[[bytes], list[SessionRecord]]
    ) -> list[SessionRecord]:
        return self._read(what, row, lambda each: _valid(decode(each))) or []

    def _read(self, what: str, row: bytes, decode: Callable[[bytes], T]) -> T | None:
        return read_row(self._where, f"{self._name}: {what}", row, decode, self._report)

    def differs(self, sort: str, what: str) -> None:
        """Note a difference."""
        self._report.differs(self._where, sort, f"{self._name}: {what}")


def _valid(records: list[SessionRecord]) -> list[SessionRecord]:
    """Return records that can be compared.

    Raises:
        TypeError: one holds what no field can be.
    """
    hash(tuple(records))
    return records
