"""What it takes to price one finished session: a tariff of 3 elements, 50 updates, on one core."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

from bench.notice import Notice
from bench.result import Figure, at_most, shown
from bench.scene import Scene
from bench.statistics import Spread
from evcharge.domain.pricing import Plan, cost_json, price, session_usage
from evcharge.domain.session import Limits, fold
from evcharge.domain.session_record import RecordKind, SessionRecord
from evcharge.events.tariffs import TariffDocument, parse_tariff

UPDATES = 50
SESSIONS = 500
RUNS = 9
MOST_US = 150

TARIFF = {
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


async def pricing(_scene: Scene) -> AsyncIterator[Figure]:
    """Price the same session again and again: from its terms and segments to the Cost."""
    document = parse_tariff(json.dumps(TARIFF).encode())
    assert isinstance(document, TariffDocument)
    plan, zone, records = Plan(document.tariff), ZoneInfo("Europe/Paris"), session()
    state = fold(records, Limits())
    usage = session_usage(state, records, zone)
    assert usage is not None
    prices, wholes = [], []
    with Notice("pricing a finished session") as notice:
        for _ in range(RUNS):
            began = time.process_time()
            for _ in range(SESSIONS):
                price(plan, usage)
            prices.append((time.process_time() - began) / SESSIONS * 1e6)
            began = time.process_time()
            for _ in range(SESSIONS):
                used = session_usage(state, records, zone)
                assert used is not None
                cost_json(price(plan, used))
            wholes.append((time.process_time() - began) / SESSIONS * 1e6)
        cost = Spread.of(prices)
        notice.done(f"{cost.median:.0f} µs")
    yield at_most(f"pricing a session of {UPDATES} updates", cost, "µs", MOST_US)
    yield shown("the same from its records to the Cost as JSON", Spread.of(wholes), "µs")


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
