"""With ``EVCHARGE_BILLING=off`` no session is billed for the first time; what was billed goes on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from evcharge.domain.billing.standing import standing_of
from evcharge.domain.session import HeldReason
from evcharge.domain.session_record import SessionRecord
from evcharge.events.rejection import Reason
from evcharge.events.sealed_session import MODEL
from tables.charging_sessions import PRESENT, SessionRow, decode_session, session_key
from tests.agents.memory_step import MemoryStep
from tests.domain.billing_desk import FakeDesk, approve, correct, void
from tests.domain.session_records import (
    LIMITS,
    PLUG_IN,
    correction,
    end,
    minute,
    session,
    start,
    update,
)
from tests.domain.strategies import arrivals

RECORDS = [start(user_id="U1"), update(30, 4.0), end(60, 10.0)]
OF_A_PRICE = ("segments", "terms", "cost", "evidence", "decision")
DAY = 24 * 60
"""Minutes."""


class Worker(MemoryStep):
    """A worker that can be restarted with another setting; every session costs something."""

    def __init__(self, *, is_billing: bool) -> None:
        super().__init__(LIMITS, FakeDesk())
        self.restart(is_billing=is_billing)

    def restart(self, *, is_billing: bool) -> None:
        self.books.is_billing = is_billing

    @property
    def row(self) -> SessionRow:
        """The session's row."""
        return decode_session(self.rows[session_key("EV-001", "S1")])

    @property
    def refusals(self) -> list[tuple[Reason, str]]:
        return [(rejected.reason, rejected.detail) for _, rejected in self.refused]


def facts(record: dict[str, Any]) -> dict[str, Any]:
    """Return the members that tell what was used."""
    return {name: value for name, value in record.items() if name not in OF_A_PRICE}


def test_a_completed_session_is_sealed_with_what_it_used_and_no_price() -> None:
    off, on = Worker(is_billing=False), Worker(is_billing=True)
    off.take(*RECORDS)
    on.take(*RECORDS)

    (record,), (billed,) = off.sealed, on.sealed
    MODEL.validate_python(record, strict=True)
    assert list(record) == list(billed)
    assert facts(record) == facts(billed)
    assert [record[member] for member in OF_A_PRICE] == [None] * 5
    assert off.invoices == []
    assert (off.row.account, off.row.unpriced, off.row.state) == (None, True, on.row.state)


def test_it_is_sealed_from_what_the_step_has_at_hand() -> None:
    off = Worker(is_billing=False)
    off.take(RECORDS[0], *(update(each, each / 10) for each in range(1, 50)))
    blocks = [key for key in off.rows if key.startswith(b"R")]
    assert blocks
    for key in blocks:
        del off.rows[key]
    off.take(RECORDS[-1])
    assert [(each["energy_kwh"], each["revision"]) for each in off.sealed] == [("10", 51)]


@given(arrivals())
def test_what_is_sealed_is_what_the_first_bill_says_that_was_used(
    chunks: list[list[SessionRecord]],
) -> None:
    off, on = Worker(is_billing=False), Worker(is_billing=True)
    for chunk in chunks:
        off.take(*chunk)
        on.take(*chunk)
    assert [facts(each) for each in off.sealed] == [facts(each) for each in on.sealed[:1]]


@given(arrivals())
def test_the_cut_into_chunks_does_not_change_what_is_sealed(
    chunks: list[list[SessionRecord]],
) -> None:
    cut, whole = Worker(is_billing=False), Worker(is_billing=False)
    for chunk in chunks:
        for record in chunk:
            cut.take(record)
    whole.take(*(record for chunk in chunks for record in chunk))
    assert cut.emitted == whole.emitted
    assert len(cut.emitted) <= 1


@pytest.mark.parametrize("is_billing", [False, True])
def test_it_is_never_sealed_nor_billed_again_also_when_billing_is_switched_on(
    is_billing: bool,
) -> None:
    worker = Worker(is_billing=False)
    worker.take(*RECORDS)
    worker.restart(is_billing=is_billing)
    # A second end holds it; a correction settles that.
    for late in (update(40, 6.0), end(70, 12.0), correction(80, 13.0), RECORDS[0]):
        worker.take(late)
        assert len(worker.sealed) == 1
        assert (worker.row.account, worker.row.unpriced) == (None, True)
    assert worker.row.state == session(*RECORDS, update(40, 6.0), end(70, 12.0), correction(80, 13))
    assert worker.invoices == []


def test_what_is_completed_when_billing_is_switched_on_is_billed_whenever_it_began() -> None:
    worker = Worker(is_billing=False)
    worker.take(*RECORDS[:2])
    worker.restart(is_billing=True)
    worker.take(RECORDS[2])
    assert [each["cost"]["incl_vat"] for each in worker.sealed] == ["6.00"]
    assert len(worker.invoices) == 1


def test_a_session_that_was_billed_goes_on_as_ever() -> None:
    worker = Worker(is_billing=True)
    worker.take(*RECORDS)
    worker.restart(is_billing=False)
    worker.take(correction(60, 12.0))
    worker.decide(approve(4))
    assert [each["kind"] for each in worker.invoices] == ["invoice", "credit_note", "invoice"]
    assert worker.refused == []


def test_a_session_that_waits_for_its_bill_gets_it_as_ever() -> None:
    desk = FakeDesk(None)
    worker = Worker(is_billing=True)
    worker.books.desk = desk
    worker.take(*RECORDS)
    assert worker.sealed == []
    desk.price = "0.50"
    worker.restart(is_billing=False)
    worker.take(update(40, 6.0))
    assert len(worker.invoices) == 1


def test_a_session_is_held_for_its_records_but_not_for_its_terms() -> None:
    worker = Worker(is_billing=False)
    worker.books.desk = FakeDesk(None)
    worker.take(*RECORDS)
    assert standing_of(worker.row.state, worker.row.account).reasons == ()
    worker.take(end(70, 12.0))
    reasons = standing_of(worker.row.state, worker.row.account).reasons
    assert reasons == (HeldReason.CONFLICTING_END,)
    assert worker.rows[b"HEV-001\0S1"] == PRESENT


@pytest.mark.parametrize("decision", [approve(3), void(3), correct(3, 7.0)])
def test_a_decision_about_a_session_without_an_account_is_refused(decision: Any) -> None:
    worker = Worker(is_billing=False)
    worker.decide(decision)
    worker.take(RECORDS[0])
    worker.decide(decision)
    refused = (Reason.DECISION_REFUSED, "session S1: billing is switched off")
    assert worker.refusals == [refused, refused]
    assert worker.row.account is None


@pytest.mark.parametrize("is_billing", [False, True])
def test_a_decision_about_a_session_that_was_completed_meanwhile_is_refused_for_ever(
    is_billing: bool,
) -> None:
    worker = Worker(is_billing=False)
    worker.take(*RECORDS, end(70, 12.0))
    before = dict(worker.rows)
    worker.restart(is_billing=is_billing)
    worker.decide(approve(4))
    detail = "session S1: it was completed while billing was switched off"
    assert worker.refusals == [(Reason.DECISION_REFUSED, detail)]
    assert worker.rows == before


def test_when_it_was_completed_is_kept_where_that_is_later_than_its_end() -> None:
    worker = Worker(is_billing=False)
    worker.take(*RECORDS[1:])
    worker.take(RECORDS[0]._replace(ingest_us=minute(90)))
    assert worker.row.completed_us == minute(90)
    assert [each["completed_at"] for each in worker.sealed] == ["2023-05-01T11:45:30Z"]


def test_what_comes_later_does_not_queue_it_again() -> None:
    worker = Worker(is_billing=False)
    worker.take(*RECORDS)
    for late in (update(40, 6.0), update(70, 10.0)):
        worker.take(late)
        assert not [key for key in worker.written if key[:1] in b"QD"]


@pytest.mark.parametrize("records", [RECORDS, [RECORDS[2], RECORDS[1], RECORDS[0]]])
def test_it_is_forgotten_like_any_other(records: list[SessionRecord]) -> None:
    worker = Worker(is_billing=False)
    for each in records:
        worker.take(each._replace(ingest_us=minute(60)))
    worker.take(end(70, 12.0))
    worker.take(correction(80, 13.0))
    other = start()._replace(session_id="S2")
    worker.take(other._replace(ingest_us=PLUG_IN + LIMITS.memory_us))
    assert worker.row.unpriced
    worker.take(other._replace(ingest_us=minute(90 + 2 * DAY) + LIMITS.memory_us))
    assert worker.rows[session_key("EV-001", "S1")] == PRESENT
    worker.take(update(40)._replace(ingest_us=minute(90 + 3 * DAY) + LIMITS.memory_us))
    assert worker.refusals[0][0] is Reason.TOO_LATE
    assert len(worker.sealed) == 1
