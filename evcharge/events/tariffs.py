"""The event of the topic `tariffs`: one version of an OCPI 2.2.1 Tariff, as far as keeping it needs.

Only the envelope is validated here: which tariff, since when, in which currency, and that it has
elements at all. What the elements mean is for the pricing rules to read, from the untouched text,
because their numbers are exact decimals that a float would change.
"""

from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field

from evcharge.domain.quantities import TimestampError, ZoneMissingError, parse_timestamp
from evcharge.events.fields import STRICT, Id, Timestamp
from evcharge.events.objects import validated
from evcharge.events.rejection import Reason, RefusedError, Rejected, reject, shown


class TariffEnvelope(BaseModel, frozen=True):
    """The fields of an OCPI 2.2.1 Tariff by which its versions are kept."""

    model_config = STRICT

    id: Id
    """The tariff_id of the register."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
    """ISO 4217."""
    last_updated: Timestamp
    """The version. As OCPI has it, a timestamp without an offset is in UTC."""
    elements: Annotated[list[dict[str, Any]], Field(min_length=1)]
    """OCPI `TariffElement`s, not looked into here."""


class TariffDocument(NamedTuple):
    """One version of a tariff."""

    tariff_id: str
    currency: str
    last_updated_us: int
    document: bytes
    """The JSON text as received."""


def parse_tariff(value: bytes) -> TariffDocument | Rejected:
    """Return the version that a record of `tariffs` states, or why it cannot be used. Never raises.

    A record without a value says nothing about a tariff; that is for the caller to see.
    """
    try:
        envelope = validated(value, TariffEnvelope)
        last_updated_us = _instant_or_utc(envelope.last_updated)
    except RefusedError as refused:
        return refused.rejected
    return TariffDocument(envelope.id, envelope.currency, last_updated_us, value)


def _instant_or_utc(text: str) -> int:
    try:
        try:
            return parse_timestamp(text)
        except ZoneMissingError:
            return parse_timestamp(f"{text}Z")
    except TimestampError as problem:
        detail = f"last_updated is {shown(text)}: {problem}."
        raise RefusedError(reject(Reason.BAD_VALUE, detail)) from None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the envelope."""
    return TariffEnvelope.model_json_schema()
