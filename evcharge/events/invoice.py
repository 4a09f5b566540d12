"""The record of the topic `invoices`: an invoice, or the credit note that takes one back."""

from typing import Any, Literal

import msgspec
from pydantic import TypeAdapter, with_config
from typing_extensions import TypedDict

from evcharge.domain.billing.bill import Bill
from evcharge.domain.billing.credit_note import credit_note
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.series import Issuer
from evcharge.domain.quantities import kwh, recent_timestamp
from evcharge.domain.session import SessionState
from evcharge.events.cost import CostObject, cost_bytes
from evcharge.events.fields import (
    STRICT,
    DecimalText,
    PlainId,
    PlainSession,
    PlainTimestamp,
    PlainUser,
)

VERSION = 1


@with_config(STRICT)
class InvoiceName(TypedDict):
    """What an invoice is called."""

    invoice_id: PlainId
    """Of the invoice."""
    number: str
    """Of the invoice."""


@with_config(STRICT)
class SessionSubject(TypedDict):
    """What is invoiced."""

    session_id: PlainSession
    """One of the station's sessions."""


@with_config(STRICT)
class IssuerObject(TypedDict):
    """Who writes the invoice, as the settings had it."""

    name: str
    """`EVCHARGE_ISSUER_NAME`."""
    address: str
    """`EVCHARGE_ISSUER_ADDRESS`: lines, separated by semicolons."""
    vat_id: str
    """`EVCHARGE_ISSUER_VAT_ID`; empty: none."""


@with_config(STRICT)
class Invoice(TypedDict):
    """An invoice, or a credit note: the same with its amounts negated. Written once, never changed."""

    v: Literal[1]
    """Of this schema."""
    invoice_id: PlainId
    """A function of the session and the number of its bill."""
    number: str
    """Year, lane of the station and counter: consecutive for each year and lane of an issuer."""
    kind: Literal["invoice", "credit_note"]
    """Which of the two it is."""
    credits: InvoiceName | None
    """The invoice that a credit note takes back, whole; null: it is an invoice."""
    subject: SessionSubject
    """What is paid for."""
    station_id: PlainId
    """The key of the record, too."""
    user_id: PlainUser
    """Who pays: an opaque pseudonym."""
    started_at: PlainTimestamp
    """When the session started, as a person may have corrected it."""
    ended_at: PlainTimestamp
    """The date of supply."""
    time_zone: str
    """IANA name: that of the session's terms, by whose local time it was priced."""
    meter_start_kwh: DecimalText | None
    """The meter's register at the start, an exact decimal; null unless the registers account for the
    energy exactly."""
    meter_end_kwh: DecimalText | None
    """The meter's register at the end."""
    energy_kwh: DecimalText
    """Kilowatt-hours, an exact decimal."""
    cost: CostObject
    """What is to be paid; of a credit note its negative."""
    issuer: IssuerObject
    """Who writes it, as the settings had it then."""
    issued_at: PlainTimestamp
    """Ingest time of the record that completed the session, or of the decision that led to it."""


MODEL: TypeAdapter[Invoice] = TypeAdapter(Invoice)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def issuer_bytes(issuer: Issuer) -> bytes:
    """Return the member `issuer`; it is made once and used for every invoice."""
    return _encode({"name": issuer.name, "address": issuer.address, "vat_id": issuer.vat_id or ""})


def encode_invoice(
    bill: Bill, number: str, issuer: bytes, *, cost: bytes | None = None, name: str | None = None
) -> bytes:
    """Write the invoice of a bill that has one; equal bills with equal numbers give equal bytes.

    ``issuer`` is what :func:`issuer_bytes` returned; ``cost`` what :func:`cost_bytes` did and ``name``
    what :func:`invoice_id` did, if they are at hand.
    """
    facts = bill.facts
    assert facts.started_us is not None, "billable"
    assert facts.ended_us is not None, "billable"
    assert facts.energy_uwh is not None, "billable"
    if name is None:
        name = invoice_id(Kind.INVOICE, bill.station_id, bill.session_id, bill.number)
    # Ids, decimals, timestamps and names of time zones have no character that JSON would escape.
    return (
        f'{{"v":{VERSION},"invoice_id":"{name}","number":"{number}","kind":"invoice","credits":null,'
        f'"subject":{{"session_id":"{bill.session_id}"}},"station_id":"{bill.station_id}",'
        f'"user_id":"{facts.user_id}","started_at":"{recent_timestamp(facts.started_us)}",'
        f'"ended_at":"{recent_timestamp(facts.ended_us)}","time_zone":"{bill.terms.time_zone}",'
        f"{meter_members(bill.state, facts.energy_uwh)},"
        f'"energy_kwh":"{kwh(facts.energy_uwh)}","cost":'
    ).encode() + b'%b,"issuer":%b,"issued_at":"%b"}' % (
        cost_bytes(bill.cost) if cost is None else cost,
        issuer,
        recent_timestamp(bill.billed_us).encode(),
    )


def encode_credit_note(
    invoice: bytes, station_id: str, session_id: str, bill: int, number: str, credited_us: int
) -> bytes:
    """Write the credit note of an invoice that was written before: that of the session's ``bill``.

    Raises:
        ValueError: it is no invoice.
    """
    return _encode(
        credit_note(
            _decode(invoice),
            credit_id=invoice_id(Kind.CREDIT_NOTE, station_id, session_id, bill),
            number=number,
            issued_at=recent_timestamp(credited_us),
        )
    )


def meter_members(state: SessionState, energy_uwh: int) -> str:
    """Return the two members of the meter's registers; unknown where a person corrected the energy."""
    start, end = state.meter_start_uwh, state.meter_end_uwh
    if start is None or end is None or end - start != energy_uwh:
        return '"meter_start_kwh":null,"meter_end_kwh":null'
    return f'"meter_start_kwh":"{kwh(start)}","meter_end_kwh":"{kwh(end)}"'


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the record."""
    return MODEL.json_schema()
