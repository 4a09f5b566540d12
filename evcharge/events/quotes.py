"""The question of `/v1/quotes`: what would this session cost under this tariff?"""

from typing import NamedTuple

from pydantic import BaseModel

from evcharge.domain.pricing import Usage
from evcharge.domain.tariff import Tariff
from evcharge.events.exact_numbers import validated_exactly
from evcharge.events.fields import STRICT
from evcharge.events.quoted_session import QuotedSession
from evcharge.events.rejection import RefusedError, Rejected
from evcharge.events.tariffs import TariffObject


class QuoteRequest(BaseModel, frozen=True):
    """A tariff and a session, complete in themselves: nothing is looked up."""

    model_config = STRICT

    tariff: TariffObject
    session: QuotedSession


class Quote(NamedTuple):
    """What is to be priced."""

    tariff: Tariff
    usage: Usage


def parse_quote(value: bytes) -> Quote | Rejected:
    """Return the tariff and the session that a JSON text states, or why not. Never raises."""
    try:
        asked = validated_exactly(value, QuoteRequest)
        return Quote(asked.tariff.tariff(), asked.session.usage())
    except RefusedError as refused:
        return refused.rejected
