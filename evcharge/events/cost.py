"""The contract's Cost as JSON: of sealed sessions, invoices and answers alike."""

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from evcharge.domain.pricing import Cost
from evcharge.domain.pricing.cost_json import cost_text
from evcharge.events.fields import STRICT, Timestamp


@with_config(STRICT)
class VatObject(TypedDict):
    """The VAT of one rate; exact decimals (12 digits where a fraction does not end)."""

    percent: str | None
    """Null: an adjustment of the VAT alone."""
    base: str
    amount: str


@with_config(STRICT)
class LineObject(TypedDict):
    """What one price comes to; exact decimals."""

    dimension: Literal[
        "FLAT", "ENERGY", "TIME", "PARKING_TIME", "RESERVATION", "MIN_PRICE", "MAX_PRICE"
    ]
    quantity: str
    """Billed, after steps."""
    unit: Literal["kWh", "h", "session"]
    price: str
    """For each unit, without VAT."""
    vat_percent: str | None
    excl_vat: str
    incl_vat: str


@with_config(STRICT)
class CostObject(TypedDict):
    """What a session costs. Lines and VAT rows are exact; the totals are rounded half up."""

    currency: str
    excl_vat: str
    incl_vat: str
    vat: list[VatObject]
    tariff_id: str
    tariff_version: int | None
    """Offset in `tariffs`; null: the tariff was never published there."""
    as_of: Timestamp
    lines: list[LineObject]


def cost_bytes(cost: Cost) -> bytes:
    """Return the JSON of a cost; equal costs give equal bytes."""
    return cost_text(cost).encode()
