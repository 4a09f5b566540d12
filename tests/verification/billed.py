"""A partition of sessions as the agents bill them, and what the checker finds in what they wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from evcharge.domain.billing.bill import Session
from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.series import Issuer
from evcharge.domain.billing.unpriced import why_unbilled
from evcharge.domain.quantities import DAY_US
from evcharge.domain.session import Limits
from evcharge.domain.session_record import SessionRecord
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.session_decisions import Decided
from evcharge.reference.desk import ReferenceDesk
from evcharge.reference.feed import ReferenceRecord
from evcharge.reference.plans import default_document
from evcharge.reference.reference import Reference as WorkersReference
from evcharge.verification.bills import Bills, Found
from evcharge.verification.known import Checked
from evcharge.verification.reference import Reference
from evcharge.verification.report import Report
from evcharge.verification.rows import Rows, check_left
from evcharge.verification.session_sources import Sources
from evcharge.verification.sessions import check_sessions
from evcharge.verification.sources import Arrival
from evcharge.web.aside import Aside
from evcharge.web.context import WebContext
from evcharge.web.costs import cost_of
from evcharge.web.state import KeptSession
from tables.charging_sessions import decode_session, session_key, stored_records
from tables.invoices import decode_tariff, invoice_key, tariff_key
from tests.agents.memory_step import SETTINGS, MemoryStep
from tests.domain.session_records import PLUG_IN

PUBLISHED_MS = (PLUG_IN - DAY_US) // 1_000
ISSUER = Issuer(SETTINGS.issuer_name, SETTINGS.issuer_address, SETTINGS.issuer_vat_id)


def tariff(price: str, tariff_id: str = "T1", **more: Any) -> bytes:
    """Return a tariff of a price for each kWh, with 20 % VAT."""
    component = {"type": "ENERGY", "price": price, "step_size": 1, "vat": 20}
    return json.dumps(
        {
            "id": tariff_id,
            "currency": "EUR",
            "last_updated": "2023-04-01T00:00:00Z",
            "elements": [{"price_components": [component]}],
            **more,
        }
    ).encode()


class _StepReader:
    """What a cost needs of the tables."""

    def __init__(self, step: MemoryStep) -> None:
        self._step = step

    def partition_of(self, station_id: str) -> int:
        return 0

    def invoice(self, partition: int, invoice_id: str) -> bytes | None:
        return self._step.get(invoice_key(invoice_id))

    def unpublished_tariff(self, partition: int, digest: str) -> bytes | None:
        row = self._step.get(tariff_key(digest))
        return None if row is None else decode_tariff(row)


class Billed:
    """One partition: its topics, and its agents over rows in memory."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        known = WorkersReference(SETTINGS, in_memory=True)
        self._known = known
        self.step = MemoryStep(self.limits, ReferenceDesk(known, SETTINGS))
        self.reference = Reference(default_document(SETTINGS), SETTINGS.default_time_zone)
        self.records: list[SessionRecord] = []
        self.decisions: list[Decision] = []
        self._now_us = 0
        self._said = 0
        self.issuers: Sequence[Issuer] = (ISSUER,)
        """Those that the settings of the checker ever named."""

    def publish(
        self, document: bytes, *, worker_reads: bool = True, at_ms: int = PUBLISHED_MS
    ) -> None:
        """Append to ``tariffs``."""
        at = Arrival(None, document, at_ms, 0, self._next(), ())
        self.reference.take_up_tariffs([at])
        if worker_reads:
            self._known.tariffs.apply([ReferenceRecord(at.offset, at.timestamp, None, document)])

    def register(
        self, *, worker_reads: bool = True, at_ms: int = PUBLISHED_MS, **facts: Any
    ) -> None:
        """Append an entry of EV-001 to ``stations``; nothing said removes it."""
        value = json.dumps({"station_id": "EV-001", **facts}).encode() if facts else None
        at = Arrival(b"EV-001", value, at_ms, 0, self._next(), ())
        self.reference.take_up_stations([at])
        if worker_reads:
            self._known.register.apply([ReferenceRecord(at.offset, at.timestamp, at.key, value)])

    def _next(self) -> int:
        self._said += 1
        return self._said

    def send(self, *records: SessionRecord) -> Billed:
        """Have a chunk of records taken up."""
        self.records += records
        self.step.take(*records)
        self._now_us = max(self._now_us, self.step.now_us)
        return self

    def pass_by(self, at_us: int) -> Billed:
        """Have a chunk taken up in which nothing is about a session of this partition."""
        self.step.take(now_us=at_us)
        self._now_us = max(self._now_us, at_us)
        return self

    def decide(self, *decisions: Decision) -> Billed:
        """Have decisions taken up."""
        for decision in decisions:
            self.decisions.append(decision)
            self.step.decide(decision)
        return self

    def _letters(self) -> dict[tuple[int, int], Rejected]:
        """Return what the dead letters of decisions say, by where these are."""
        refused = {
            (said.partition, said.offset): rejected
            for said, rejected in self.step.refused
            if isinstance(said, Decided)
        }
        return refused | {
            (record.partition, record.offset): rejected
            for record, rejected, _ in self.step.rejected
        }

    def found_of(self, topic: str) -> list[Found]:
        """Return what was written to a topic."""
        values = [value for name, value in self.step.emitted if name == topic]
        return [Found(offset, b"EV-001", value) for offset, value in enumerate(values)]

    def report(
        self,
        *,
        sealed: Sequence[Found] | None = None,
        invoices: Sequence[Found] | None = None,
        rows: dict[bytes, bytes] | None = None,
        records: Sequence[SessionRecord] | None = None,
    ) -> Report:
        """Return what the checker finds, in what was written or in what is given instead."""
        return self.checked(sealed=sealed, invoices=invoices, rows=rows, records=records)[0]

    def checked(
        self,
        *,
        sealed: Sequence[Found] | None = None,
        invoices: Sequence[Found] | None = None,
        rows: dict[bytes, bytes] | None = None,
        records: Sequence[SessionRecord] | None = None,
    ) -> tuple[Report, Checked]:
        report = Report()
        bills = Bills(0, self.reference.tariffs, self.issuers, report)
        bills.take_up_sealed(self.found_of("sealed-sessions") if sealed is None else sealed)
        bills.take_up_invoices(self.found_of("invoices") if invoices is None else invoices)
        looked_at = Rows(self.step.rows if rows is None else rows)
        all_records = self.records if records is None else records
        decided = [Decided("EV-001", "S1", each) for each in self.decisions]
        checked = check_sessions(
            "here",
            looked_at,
            Sources.of(
                [each for each in all_records if each.partition == 0],
                [each for each in all_records if each.partition != 0],
                decided,
                bills.papers(),
                self._letters(),
                {
                    (said.partition, said.offset)
                    for said, rejected in self.step.refused
                    if isinstance(said, SessionRecord) and rejected.reason is Reason.TOO_LATE
                },
            ),
            self.reference,
            self.limits,
            report,
            now_us=self._now_us,
            is_billing=self.step.books.is_billing,
        )
        bills.check()
        bills.check_rows("here", looked_at, checked.tariffs())
        check_left("here", looked_at, report)
        return report, checked

    async def cost(self) -> Any:
        """Return what a worker answers over HTTP that the session costs."""
        key = "EV-001", "S1"
        row = decode_session(self.step.rows[session_key(*key)])
        records = partial(stored_records, self.step, *key, row)
        unbilled = why_unbilled(
            row.account, unpriced=row.unpriced, is_billing=self.step.books.is_billing
        )
        kept = KeptSession(Session(*key, row.state, records, self.limits), row.account, unbilled)
        context = SimpleNamespace(
            reader=_StepReader(self.step),
            desk=ReferenceDesk(self._known, SETTINGS),
            aside=Aside(),
        )
        cost = await cost_of(cast("WebContext", context), kept)
        return None if cost is None else json.loads(bytes(cost))

    def sorts(self, **instead: Any) -> list[str]:
        """Return the sorts of difference that the checker finds."""
        return sorted(sort for _, sort in self.report(**instead).differences.elements())
