"""A finished session of a usual length, and a tariff of a usual kind."""

from __future__ import annotations

from typing import Any

from evcharge.domain.session_record import RecordKind, SessionRecord

UPDATES = 50

TARIFF: dict[str, Any] = {
    "id": "T1",
    "currency": "EUR",
    "last_updated": "2024-01-01T00:00:00Z",
    "elements": [
        {
            "price_components": [
                {"type": "FLAT", "price": "0.50", "vat": 20},
                {"type": "ENERGY", "price": "0.35", "vat": 20, "step_size": 1},
            ],
            "restrictions": {"start_time": "07:00", "end_time": "19:00", "max_kwh": 15},
        },
        {
            "price_components": [
                {"type": "ENERGY", "price": "0.25", "vat": 20, "step_size": 1},
                {"type": "TIME", "price": "1.20", "vat": 20, "step_size": 60},
            ],
            "restrictions": {"min_power": 3},
        },
        {
            "price_components": [
                {"type": "ENERGY", "price": "0.30", "vat": 20},
                {"type": "PARKING_TIME", "price": "2.00", "vat": 20, "step_size": 300},
            ],
        },
    ],
}
"""Restricted by time of day, energy and power."""

_PLUG_IN_US = 1_682_936_130 * 1_000_000
_APART_US = 123_456_789


def session() -> list[SessionRecord]:
    """Return the records of a session that charges and then parks."""
    updates = [
        _record(
            number,
            RecordKind.UPDATE,
            energy_uwh=number * 400_000_000,
            power_mw=11_000_000 - number * 100_000,
            charging=number < 40,
        )
        for number in range(1, UPDATES + 1)
    ]
    ended = _record(UPDATES + 1, RecordKind.END, energy_uwh=(UPDATES + 1) * 400_000_000)
    return [_record(0, RecordKind.START), *updates, ended]


def _record(
    number: int,
    kind: RecordKind,
    *,
    energy_uwh: int | None = None,
    power_mw: int | None = None,
    charging: bool | None = None,
) -> SessionRecord:
    at = _PLUG_IN_US + number * _APART_US
    return SessionRecord(
        "EV-001",
        "S1",
        kind,
        at,
        at + 1_000_000,
        0,
        number,
        energy_uwh=energy_uwh,
        power_mw=power_mw,
        charging=charging,
    )
