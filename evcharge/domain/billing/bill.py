"""A bill: what a session is sealed as, and what its invoice says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from evcharge.domain.billing.account import Facts, Total
from evcharge.domain.billing.correction import corrected_usage
from evcharge.domain.billing.decision import Corrections, Decision
from evcharge.domain.billing.known_course import known_course
from evcharge.domain.billing.terms import RatedTariff, Terms
from evcharge.domain.pricing import Cost, PlainSegment, Usage, price, priced_session, session_usage
from evcharge.domain.session import Limits, SessionState, fold
from evcharge.domain.session.flood import with_witnesses
from evcharge.domain.session.order import Value, distinct, in_order, value
from evcharge.domain.session.told import Told, told_as_meant
from evcharge.domain.session_record import SessionRecord, StoredRecord


class Session(NamedTuple):
    """A session as billing is told of it."""

    station_id: str
    session_id: str
    state: SessionState
    """The fold of all its records."""
    records: Callable[[], Sequence[SessionRecord]]
    """All that are kept in the order of arrival, repeats or not; only asked for when something is
    priced."""
    limits: Limits
    stored: Sequence[StoredRecord] | None = None
    """The same as they are kept, if they are at hand: it is quicker to price these."""

    def known(self) -> Sequence[SessionRecord]:
        """Return all records that are known (``flood.with_witnesses``)."""
        return with_witnesses(self.state, self.records())


class Bill(NamedTuple):
    """What a session costs, and all that this follows from."""

    station_id: str
    session_id: str
    number: int
    """Among the session's bills, from 1."""
    state: SessionState
    """What its records said."""
    facts: Facts
    """What is billed: that, as a person may have corrected it."""
    terms: Terms
    tariff: RatedTariff
    segments: Sequence[PlainSegment]
    """What was priced."""
    cost: Cost
    evidence: Sequence[tuple[int, int]]
    """Partition and offset in ``charging-sessions`` of each different record, in order of arrival."""
    billed_us: int
    """Ingest time of the record, or of the decision, that led to this bill."""
    decision: Decision | None = None
    """That decision."""
    is_invoiced: bool = False
    is_void: bool = False
    """Whether it only says that nothing is billed any more."""


_new = tuple.__new__
_place = itemgetter(SessionRecord._fields.index("partition"), SessionRecord._fields.index("offset"))


def evidence_of(records: Sequence[SessionRecord], revision: int) -> Sequence[tuple[int, int]]:
    """Return where each of so many different records is in ``charging-sessions``.

    That is its partition and offset, of equal records those of the one that counts.
    """
    if len(records) != revision:
        records = list(distinct(records).values())
    return list(map(_place, records))


def first_records(records: Sequence[SessionRecord], count: int) -> Sequence[SessionRecord]:
    """Return the records, in the order of arrival, up to the one that is the ``count``-th different."""
    if len(records) <= count:
        return records
    seen: set[Value] = set()
    for behind, record in enumerate(records, 1):
        seen.add(value(record))
        if len(seen) == count:
            return records[:behind]
    return records


def state_at(session: Session, revision: int) -> tuple[SessionState, Sequence[SessionRecord]]:
    """Return what a session was after its first ``revision`` different records, and these.

    Of a session with too many records the first ones are kept, and a few of the others.
    """
    records, state = session.known(), session.state
    if revision >= state.revision:
        return state, records if state.witnesses is not None else first_records(records, revision)
    first = first_records(records, revision)
    return fold(first, session.limits), first


def state_behind(session: Session, revision: int) -> tuple[SessionState, Sequence[SessionRecord]]:
    """Return what a session was when its ``revision``-th different record came, and the records then.

    The last of these is that record: repeats that came behind it play no part.
    """
    records = session.known()
    first = first_records(records, revision)
    # One that has too many records by now may still have all that it had then.
    is_now = len(first) == len(records) and revision >= session.state.revision
    return session.state if is_now else fold(first, session.limits), first


def usage_of(
    state: SessionState,
    records: Sequence[SessionRecord],
    zone: ZoneInfo,
    limits: Limits,
    corrections: Corrections | None,
) -> Usage:
    """Return what a session with billable facts used, which a person may have corrected."""
    line = ordered(records)
    if corrections is None or corrections[:3] == (None, None, None):
        usage = session_usage(state, line, zone, limits)
        assert usage is not None, "billable"
        return usage
    facts = Facts(state.started_us, state.ended_us, state.energy_uwh).corrected(corrections)
    return corrected_usage(known_course(state, line, facts, zone, limits), facts)


def ordered(records: Sequence[SessionRecord]) -> Sequence[SessionRecord]:
    """Return records once each and in order; nearly always they arrived so."""
    last_us = None
    for record in records:
        if last_us is not None and record.timestamp_us <= last_us:
            return in_order(distinct(records).values())
        last_us = record.timestamp_us
    return records


def priced(
    state: SessionState,
    records: Sequence[SessionRecord],
    terms: Terms,
    tariff: RatedTariff,
    limits: Limits,
    corrections: Corrections | None,
    told: Told | None = None,
) -> tuple[Sequence[PlainSegment], Cost]:
    """Return what a session with billable facts used and costs under its terms.

    ``told`` are its columns, if they are at hand: then there are no corrections.
    """
    zone = ZoneInfo(terms.time_zone)
    if corrections is None:
        line = ordered(records)
        if told is None:
            told = told_as_meant(state, line)
        both = priced_session(tariff.plan, state, line, zone, limits, told)
        if both is not None:
            return both
    usage = usage_of(state, records, zone, limits, corrections)
    return usage.segments, price(tariff.plan, usage)


def total_of(cost: Cost) -> Total:
    """Return what a cost comes to."""
    return _new(Total, (cost.excl_vat, cost.incl_vat))


def is_payable(facts: Facts, total: Total) -> bool:
    """Whether an invoice is written: somebody is to pay something."""
    return facts.user_id is not None and total != (0, 0)
