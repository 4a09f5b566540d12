"""A desk for tests: one tariff for every station, and what billing is told of a session."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.bill import Bill, Session
from evcharge.domain.billing.decision import Corrections, Decision, Verdict
from evcharge.domain.billing.rebill import Credit, Output
from evcharge.domain.billing.settle import Settled, decide, settle
from evcharge.domain.billing.terms import RatedTariff, Terms, digest_of
from evcharge.domain.pricing import Plan
from evcharge.domain.session import Limits, SessionState, advance, advance_unsealed
from evcharge.domain.session.state import EMPTY
from evcharge.domain.session_record import SessionRecord
from evcharge.domain.tariff import Tariff
from tests.domain.tariff_builders import element, energy, parking

LIMITS = Limits()
_ids = count()


@cache
def per_kwh(price: str, currency: str = "EUR") -> Tariff:
    """Return a tariff of a price for each kWh and 1.00 for each hour of parking, with 20 % VAT."""
    elements = (element(energy(price, vat="20"), parking("1", vat="20")),)
    return Tariff(f"T-{price}", currency, elements)


@cache
def rated(tariff: Tariff, version: int | None = None) -> RatedTariff:
    document = json.dumps(
        {"id": tariff.tariff_id, "currency": tariff.currency}, separators=(",", ":")
    ).encode()
    return RatedTariff(Plan(tariff, version), digest_of(document), document)


class FakeDesk:
    """Knows per-kWh tariffs by their document."""

    def __init__(self, price: str | None = "0.50") -> None:
        self.price = price
        self.doubtful = False

    def terms(self, station_id: str, connector_id: int, started_us: int) -> Terms | None:
        if self.price is None:
            return None
        tariff = rated(per_kwh(self.price), 7)
        power = 5_000_000 if self.doubtful else None
        return Terms(tariff.plan.tariff.tariff_id, 7, tariff.digest, "Europe/Paris", power)

    def tariff(self, terms: Terms) -> RatedTariff:
        return rated(per_kwh(terms.tariff_id.removeprefix("T-")), terms.tariff_version)

    def published(self, document: bytes) -> RatedTariff:
        tariff_id, currency = json.loads(document).values()
        return rated(per_kwh(tariff_id.removeprefix("T-"), currency))


def decision(verdict: Verdict, revision: int, **fields: Any) -> Decision:
    """Return a decision; its offset grows with each."""
    number = next(_ids)
    values: dict[str, Any] = {
        "decision_id": f"D{number}",
        "verdict": verdict,
        "actor": "A1",
        "revision": revision,
        "decisions": None,
        "partition": 0,
        "offset": number,
        "ingest_us": 1_700_000_000_000_000 + number,
    }
    return Decision(**(values | fields))


def approve(revision: int, **fields: Any) -> Decision:
    return decision(Verdict.APPROVE, revision, **fields)


def void(revision: int, **fields: Any) -> Decision:
    return decision(Verdict.VOID, revision, **fields)


def correct(revision: int, energy: float | None = None, **fields: Any) -> Decision:
    corrections = Corrections(
        fields.pop("started_us", None),
        fields.pop("ended_us", None),
        None if energy is None else round(energy * 1e9),
        fields.pop("user_id", None),
    )
    return decision(Verdict.CORRECT, revision, corrections=corrections, **fields)


def rerate(revision: int, price: str, **fields: Any) -> Decision:
    document = rated(per_kwh(price)).document.decode()
    return decision(Verdict.RERATE, revision, document=document, **fields)


class Till:
    """One session at its agent: what the agent does, without rows."""

    def __init__(self, desk: FakeDesk | None = None, limits: Limits = LIMITS) -> None:
        self.desk = desk or FakeDesk()
        self.limits = limits
        self.state: SessionState | None = None
        self.account: Account | None = None
        self.records: list[SessionRecord] = []
        self.outputs: list[Output] = []
        self.refusal: str | None = None

    def send(self, *records: SessionRecord) -> list[Output]:
        """Take records that arrive in one chunk; return what is written."""
        before, completion, kept = self.state, None, tuple(self.records)
        if self.account is None or not self.account.is_settled:
            advanced, completion = advance_unsealed(before, records, lambda: kept, self.limits)
        else:
            advanced = advance(before, records, lambda: kept, self.limits)
        self.state = advanced.state
        self.records += advanced.appended
        if not advanced.appended and self.state == before:
            return []
        return self._take(
            settle(self.desk, self._session(), self.account, completion, before, records)
        )

    def decide(self, made: Decision) -> list[Output]:
        return self._take(decide(self.desk, self._session(), self.account, made))

    def _session(self) -> Session:
        return Session("EV-001", "S1", self.state or EMPTY, lambda: self.records, self.limits)

    def _take(self, settled: Settled) -> list[Output]:
        self.account, self.refusal = settled.account, settled.refusal
        self.outputs += settled.outputs
        return list(settled.outputs)

    @property
    def balance(self) -> int:
        """What was invoiced less what was credited, in cents with VAT."""
        return balance(self.outputs)


def balance(outputs: Sequence[Output]) -> int:
    """Return what invoices less credit notes come to; asserts that each credits one that stands."""
    open_invoices: dict[int, int] = {}
    for output in outputs:
        if isinstance(output, Credit):
            del open_invoices[output.bill]
        elif output.is_invoiced:
            open_invoices[output.number] = output.cost.incl_vat
        assert len(open_invoices) <= 1, "two invoices of one session that are not credited"
    return sum(open_invoices.values())


def told(outputs: Sequence[Output]) -> list[str]:
    """Return outputs as a person would tell them."""
    return [f"credit {each.bill}" if isinstance(each, Credit) else _told(each) for each in outputs]


def _told(bill: Bill) -> str:
    what = "void" if bill.is_void else "invoice" if bill.is_invoiced else "seal"
    return f"{what} {bill.number}" + (f": {bill.cost.incl_vat}" if bill.is_invoiced else "")
