"""A tariff in a file, ready for a re-rating."""

from __future__ import annotations

import codecs
from functools import lru_cache

import msgspec

from evcharge.domain.billing.terms import RatedTariff, digest_of
from evcharge.domain.pricing import Plan
from evcharge.errors import CommandError
from evcharge.events.rejection import Rejected
from evcharge.events.tariffs import parse_tariff


def read_tariff(name: str, content: bytes) -> RatedTariff:
    """Return the tariff that a file holds; ``name`` is what the file is called in messages.

    Raises:
        CommandError: it is no OCPI 2.2.1 Tariff, or one that cannot be used.
    """
    parsed = parse_tariff(content.removeprefix(codecs.BOM_UTF8))
    if isinstance(parsed, Rejected):
        raise CommandError(f"{name}: {parsed.detail.removesuffix('.')}")
    compact = msgspec.json.format(parsed.document, indent=-1)
    return RatedTariff(Plan(parsed.tariff), digest_of(compact), compact)


@lru_cache(maxsize=256)  # nearly all sessions of a period have one of a few
def stored_plan(document: bytes, version: int | None) -> Plan | None:
    """Return the plan of a tariff as it was sealed, None if it is no tariff any more."""
    parsed = parse_tariff(document)
    return None if isinstance(parsed, Rejected) else Plan(parsed.tariff, version)
