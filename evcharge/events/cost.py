"""The contract's Cost as JSON: of sealed sessions, invoices and answers alike."""

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from evcharge.domain.pricing import Cost
from evcharge.domain.pricing.cost_json import cost_text
from evcharge.events.fields import STRICT, DecimalText, PlainTimestamp


@with_config(STRICT)
class VatObject(TypedDict):
    """The VAT of one rate; exact decimals (12 digits where a fraction does not end)."""

    percent: DecimalText | None
    """Null: an adjustment of the VAT alone."""
    base: DecimalText
    """What the VAT is of, without it."""
    amount: DecimalText
    """The VAT."""


@with_config(STRICT)
class LineObject(TypedDict):
    """What one price comes to; exact decimals."""

    dimension: Literal[
        "FLAT", "ENERGY", "TIME", "PARKING_TIME", "RESERVATION", "MIN_PRICE", "MAX_PRICE"
    ]
    """What is charged for; the last two bring the sum to the tariff's minimum or maximum."""
    quantity: DecimalText
    """Billed, after steps."""
    unit: Literal["kWh", "h", "session"]
    """Of the quantity."""
    price: DecimalText
    """For each unit, without VAT."""
    vat_percent: DecimalText | None
    """Null: none applies, or the line is no price of its own."""
    excl_vat: DecimalText
    """Without VAT."""
    incl_vat: DecimalText
    """With VAT."""


@with_config(STRICT)
class CostObject(TypedDict):
    """What a session costs. Lines and VAT rows are exact; the totals are rounded half up."""

    currency: str
    """ISO 4217."""
    excl_vat: DecimalText
    """The total without VAT, with all digits of the currency's minor unit."""
    incl_vat: DecimalText
    """The total with VAT."""
    vat: list[VatObject]
    """The VAT of each rate."""
    tariff_id: str
    """Of the tariff that it was priced under."""
    tariff_version: DecimalText | None
    """Offset in `tariffs`, a string as all numbers of a cost; null: never published there."""
    as_of: PlainTimestamp
    """The instant up to which it was priced: the session's end."""
    lines: list[LineObject]
    """What it consists of."""


def cost_bytes(cost: Cost) -> bytes:
    """Return the JSON of a cost; equal costs give equal bytes."""
    return cost_text(cost).encode()
