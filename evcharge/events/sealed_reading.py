"""Reads records of `sealed-sessions` back: for re-rating, audit, and whoever prices a session again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from evcharge.domain.billing.account import Facts, Total
from evcharge.domain.billing.sealed import Sealed
from evcharge.domain.billing.terms import Terms
from evcharge.domain.pricing import Segment, SegmentKind, Usage
from evcharge.domain.quantities import KW, KWH, MICRO, exact_units, parse_timestamp
from evcharge.domain.tariff import MINOR_UNITS


class SealedError(ValueError):
    """A record is none that evcharge wrote; the message says why."""


class _Terms(msgspec.Struct):
    tariff_id: str
    tariff_version: int | None
    tariff_digest: str
    time_zone: str
    max_power_kw: str | None
    tariff: msgspec.Raw


class _Decision(msgspec.Struct):
    decision_id: str


class _Sealed(msgspec.Struct):
    v: Literal[1]
    session_id: str
    station_id: str
    bill: int
    state: Literal["completed", "void"]
    user_id: str | None
    started_at: str
    ended_at: str
    duration_s: msgspec.Raw
    """A number, as text: a float would lose what is far behind the point."""
    energy_kwh: str
    meter_start_kwh: str | None
    meter_end_kwh: str | None
    completed_at: str
    revision: int
    segments: list[tuple[int, int, int, int | None, int | None]]
    terms: _Terms
    cost: dict[str, Any]
    decision: _Decision | None


_decode = msgspec.json.Decoder(_Sealed).decode
_KINDS = tuple(SegmentKind)
_UNREADABLE = (
    ArithmeticError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    OSError,  # of a time zone that is called like a directory of the database
)


def read_sealed_session(value: bytes) -> Sealed:
    """Return the sealed session of a record.

    Raises:
        SealedError: the record cannot be read, or its session is not billed.
    """
    try:
        return _sealed(_decode(value))
    except _UNREADABLE as problem:
        raise SealedError(f"not a sealed session: {problem}") from None


def _sealed(said: _Sealed) -> Sealed:
    if not said.segments:
        raise SealedError("it has no segments")
    terms, cost = said.terms, said.cost
    started_us = parse_timestamp(said.started_at)
    minor = MINOR_UNITS[cost["currency"]]
    return Sealed(
        said.station_id,
        said.session_id,
        said.bill,
        said.state == "void",
        said.revision,
        Facts(
            started_us,
            parse_timestamp(said.ended_at),
            exact_units(said.energy_kwh, KWH),
            said.user_id,
        ),
        parse_timestamp(said.completed_at),
        Terms(
            terms.tariff_id,
            terms.tariff_version,
            terms.tariff_digest,
            terms.time_zone,
            None if terms.max_power_kw is None else exact_units(terms.max_power_kw, KW),
        ),
        bytes(terms.tariff),
        Usage(
            started_us,
            ZoneInfo(terms.time_zone),
            tuple(
                Segment(_KINDS[kind], duration, energy, power, current)
                for kind, duration, energy, power, current in said.segments
            ),
        ),
        cost,
        cost["currency"],
        Total(
            int(Decimal(cost["excl_vat"]).scaleb(minor)),
            int(Decimal(cost["incl_vat"]).scaleb(minor)),
        ),
        exact_units(bytes(said.duration_s).decode(), MICRO),
        _uwh(said.meter_start_kwh),
        _uwh(said.meter_end_kwh),
        None if said.decision is None else said.decision.decision_id,
    )


def _uwh(kilowatt_hours: str | None) -> int | None:
    return None if kilowatt_hours is None else exact_units(kilowatt_hours, KWH)
