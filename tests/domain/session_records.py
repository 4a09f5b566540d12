"""Builders of session records: minutes after plug-in and kWh, as a person would tell them."""

from __future__ import annotations

from itertools import count
from typing import Any

from evcharge.domain.session import Limits, SessionState, fold
from evcharge.domain.session_record import RecordKind, SessionRecord

MINUTE = 60_000_000
PLUG_IN = 1_682_936_130 * 1_000_000
"""2023-05-01T10:15:30Z, in microseconds."""
LIMITS = Limits()

_offsets = count()


def kwh(amount: float | None) -> int | None:
    """Return micro-watt-hours."""
    return None if amount is None else round(amount * 1_000_000_000)


def minute(minutes: float) -> int:
    """Return the instant that many minutes after plug-in."""
    return PLUG_IN + round(minutes * MINUTE)


def record(
    kind: RecordKind,
    at: float,
    *,
    energy: float | None = None,
    meter: float | None = None,
    ingest: float | None = None,
    **fields: Any,
) -> SessionRecord:
    """Return a record that happened ``at`` minutes after plug-in and was ingested a second later."""
    return SessionRecord(
        "EV-001",
        "S1",
        kind,
        minute(at),
        minute(at) + 1_000_000 if ingest is None else minute(ingest),
        0,
        next(_offsets),
        energy_uwh=kwh(energy),
        meter_uwh=kwh(meter),
        **fields,
    )


def start(at: float = 0, **fields: Any) -> SessionRecord:
    return record(RecordKind.START, at, **fields)


def update(at: float, energy: float | None = None, **fields: Any) -> SessionRecord:
    return record(RecordKind.UPDATE, at, energy=energy, **fields)


def end(at: float = 60, energy: float | None = None, **fields: Any) -> SessionRecord:
    return record(RecordKind.END, at, energy=energy, **fields)


def correction(at: float = 60, energy: float | None = None, **fields: Any) -> SessionRecord:
    return end(at, energy, correction=True, **fields)


def closed(at: float = 60, energy: float | None = None, **fields: Any) -> SessionRecord:
    """Return a closed session that started at plug-in."""
    fields.setdefault("start_time_us", PLUG_IN)
    return record(RecordKind.CLOSED, at, energy=energy, **fields)


def session(*records: SessionRecord, limits: Limits = LIMITS) -> SessionState:
    """Return what the records mean."""
    return fold(records, limits)
