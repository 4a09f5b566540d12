"""Records of ``sealed-sessions`` and ``invoices`` as they are taken up: documents, or damaged.

What somebody else wrote there, or changed, may be anything. Here is what the checker relies on when it
compares a document with others; whether it says what it has to is asked later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from evcharge.domain.billing.invoice import Kind
from evcharge.domain.billing.series import LANES, Issuer, Series, series_of
from evcharge.domain.quantities import parse_timestamp
from evcharge.kafka.partitioning import Partitioner

_lane_of = Partitioner(LANES).partition_of


class DocumentError(ValueError):
    """A record is no document; the message says why."""


class _Evidence(msgspec.Struct, rename="kebab"):
    charging_sessions: list[tuple[int, int]]


class _Sealed(msgspec.Struct):
    station_id: str
    session_id: str
    bill: int
    terms: dict[str, Any] | None
    cost: dict[str, Any] | None
    evidence: _Evidence | None


class _Subject(msgspec.Struct):
    session_id: str


class _Credited(msgspec.Struct):
    invoice_id: str


class _Issuer(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    address: str
    vat_id: str


class _Invoice(msgspec.Struct):
    invoice_id: str
    number: str
    kind: Kind
    credits: _Credited | None
    subject: _Subject
    station_id: str
    user_id: str
    issuer: _Issuer
    issued_at: str


def sealed_members(value: bytes) -> dict[str, Any]:
    """Return the members of a record of ``sealed-sessions``.

    Raises:
        DocumentError: it is none that can be compared with others.
    """
    members, _ = _read(value, _Sealed)
    return members


def invoice_members(value: bytes) -> dict[str, Any]:
    """Return the members of a record of ``invoices``: of an invoice or a credit note.

    Raises:
        DocumentError: it is none that can be compared with others.
    """
    members, invoice = _read(value, _Invoice)
    try:
        parse_timestamp(invoice.issued_at)
    except (ArithmeticError, ValueError) as problem:
        raise DocumentError(f"`issued_at`: {problem}") from None
    return members


def series_in(document: Mapping[str, Any]) -> Series:
    """Return the series that the number of an invoice or a credit note belongs to."""
    issuer, issued_us = Issuer(**document["issuer"]), parse_timestamp(document["issued_at"])
    return series_of(issuer.key, _lane_of(document["station_id"]), issued_us)


def _read(value: bytes, kind: type[Any]) -> tuple[dict[str, Any], Any]:
    try:
        members: dict[str, Any] = msgspec.json.decode(value)
        return members, msgspec.convert(members, kind)
    except (RecursionError, ValueError) as problem:
        raise DocumentError(str(problem)) from None
