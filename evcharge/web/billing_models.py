"""What the answers about bills look like (see ``models.py``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from evcharge.domain.session.held import HeldReason
from evcharge.web.models import Answer, Cost, Decimal, Session, Stale, StationId, Timestamp

InvoiceId = Annotated[str, Field(description="32 hexadecimal digits that nobody can guess")]


class InvoiceName(Answer):
    """What an invoice is called."""

    invoice_id: InvoiceId
    number: str


class Subject(Answer):
    """What is invoiced: one of these."""

    session_id: str | None = None
    reservation_id: str | None = None


class Issuer(Answer):
    """Who wrote the invoice, as the settings had it then."""

    name: str
    address: str
    vat_id: str


class Invoice(Answer):
    """An invoice, or a credit note: the same with its amounts negated. Never changed."""

    v: Literal[1]
    invoice_id: InvoiceId
    number: str = Field(
        description="year, lane and counter; without a gap in each year and lane of an issuer",
        examples=["2026-17-000123"],
    )
    kind: Literal["invoice", "credit_note"]
    credits: InvoiceName | None = Field(description="of a credit note: the invoice it takes back")
    subject: Subject
    station_id: StationId
    user_id: str
    started_at: Timestamp
    ended_at: Timestamp = Field(description="the date of supply")
    time_zone: str = Field(
        description="IANA name: by whose local time it was priced", examples=["Europe/Paris"]
    )
    meter_start_kwh: Decimal | None
    meter_end_kwh: Decimal | None
    energy_kwh: Decimal
    cost: Cost
    issuer: Issuer
    issued_at: Timestamp
    stale: Stale = False


class Invoices(Answer):
    """A page of a user's invoices and credit notes, sorted by id."""

    invoices: list[Invoice]
    next: str | None = Field(description="the `cursor` of the next page")
    partial: bool = Field(description="invoices may be missing: a partition did not answer")
    stale: Stale = False


class Reason(Answer):
    """Why a session is held, or an active one would be."""

    reason: HeldReason
    means: str
    vanishes_with: str | None = Field(
        description="the record that would take it away; null: only a decision does"
    )


class Billed(Answer):
    """What was sealed last, and under which terms."""

    bill: int = Field(ge=1, description="counts the session's bills")
    invoice_id: InvoiceId | None = Field(
        description="the invoice that stands; null: there is nothing to be paid"
    )
    decision: Literal["approve", "correct", "void"] | None = Field(
        description="what a person decided last; null: nobody did"
    )
    started_at: Timestamp | None
    ended_at: Timestamp | None
    energy_kwh: float | None
    user_id: str | None
    tariff_id: str
    tariff_version: int | None = Field(description="null: it was never published")
    time_zone: str
    max_power_kw: float | None = Field(description="rated power; null: unknown")


class Record(Answer):
    """One record of a session: where it is, and what it says. What it does not state is absent."""

    topic: Literal["charging-sessions"] = Field(description="without EVCHARGE_TOPIC_PREFIX")
    partition: int
    offset: int = Field(description="where the record came first, also if it was forwarded")
    ingested_at: Timestamp
    event: Literal["session_start", "session_update", "session_end"] | None = Field(
        default=None, description="absent: a closed session, a whole session in one record"
    )
    timestamp: Timestamp | None = None
    end_time: Timestamp | None = None
    seq: int | None = None
    connector_id: int | None = None
    user_id: str | None = None
    energy_kwh: float | None = None
    meter_kwh: float | None = None
    power_kw: float | None = None
    current_a: float | None = None
    soc_percent: float | None = None
    charging: bool | None = None
    start_time: Timestamp | None = None
    duration_s: float | None = None
    correction: bool | None = None
    reason: str | None = None
    reservation_id: str | None = None


class Evidence(Answer):
    """Why a session is what it is, and a page of its records in the order of their arrival."""

    session: Session
    reasons: list[Reason]
    billed: Billed | None = Field(description="null: nothing was sealed")
    records: list[Record]
    next: str | None = Field(description="the `cursor` of the next page")
    stale: Stale = False
