"""What the operator says in a torture run: tariffs, of which one changes, and the register.

The fleet's stations are in four groups: two tariffs, one that comes to be known late, and none at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.torture.events import FIRST, Sent

CHANGES_AFTER = timedelta(hours=2)
"""Of the fleet's time: from then on a tariff's next version holds."""


def _component(kind: str, price: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "price": price, "step_size": 1, **more}


def _tariff(tariff_id: str, currency: str, *components: dict[str, Any], **more: Any) -> Sent:
    value = {
        "id": tariff_id,
        "currency": currency,
        "last_updated": "2023-04-01T00:00:00Z",
        "elements": [{"price_components": list(components)}],
        **more,
    }
    return Sent("tariffs", 0, tariff_id.encode(), json.dumps(value).encode(), [])


def _station(station_id: str, **facts: Any) -> Sent:
    value = json.dumps({"station_id": station_id, **facts}).encode()
    return Sent("stations", 0, station_id.encode(), value, [])


def _changes_at() -> str:
    return (FIRST + CHANGES_AFTER).isoformat().replace("+00:00", "Z")


def first_words(stations: list[str]) -> Iterator[Sent]:
    """Yield what is published before a device speaks."""
    day = _component("ENERGY", "0.39", vat="19")
    yield _tariff("DAY", "EUR", day, end_date_time=_changes_at())
    yield _tariff("YEN", "JPY", _component("TIME", "600"), _component("FLAT", "50", vat="10"))
    for number, station_id in enumerate(stations):
        match number % 4:
            case 0:
                connectors = [{"connector_id": 1, "max_power_kw": 150}]
                yield _station(station_id, tariff_id="DAY", connectors=connectors)
            case 1:
                yield _station(station_id, tariff_id="YEN", time_zone="Asia/Tokyo")
            case 2:
                yield _station(station_id, tariff_id="LATE" if number % 8 == 2 else "DAY")


def later_words(stations: list[str]) -> Iterator[Sent]:
    """Yield what is published while devices speak: other tariffs, other entries of the register."""
    more = {"start_date_time": _changes_at()}
    yield _tariff("DAY", "EUR", _component("ENERGY", "0.45", vat="19"), **more)
    yield _tariff("LATE", "KWD", _component("ENERGY", "0.0375"), max_price={"excl_vat": 1})
    yield _station(stations[0], tariff_id="YEN")
    yield Sent("stations", 0, stations[1].encode(), None, [])
    yield _station(stations[3], tariff_id="DAY", time_zone="America/Lima")
