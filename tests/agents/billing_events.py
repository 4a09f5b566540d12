"""A priced station for tests of billing: what is published for it, and what is decided about it."""

from __future__ import annotations

from typing import Any

from evcharge.settings import Settings
from evcharge.testing import MemoryWorker
from tests.agents.session_events import SESSION

SETTINGS = Settings(partitions=4, issuer_name="Test GmbH", issuer_vat_id="XX1")


def tariff(price: float, tariff_id: str = "T1") -> dict[str, Any]:
    """Return a tariff of a price for each kWh with 20 % VAT."""
    component = {"type": "ENERGY", "price": price, "vat": 20, "step_size": 1}
    return {
        "id": tariff_id,
        "currency": "EUR",
        "last_updated": "2020-01-01T00:00:00Z",
        "elements": [{"price_components": [component]}],
    }


def station(station_id: str = "EV-001", **more: Any) -> dict[str, Any]:
    """Return a station with the tariff T1."""
    return {
        "station_id": station_id,
        "name": "At the corner",
        "latitude": 48.8,
        "longitude": 2.3,
        "time_zone": "Europe/Paris",
        "tariff_id": "T1",
        "connectors": [],
        **more,
    }


def priced(worker: MemoryWorker, *stations: str) -> None:
    """Publish a tariff of 0.50 for each kWh and stations that have it."""
    worker.publish("tariffs", tariff(0.5))
    worker.publish("stations", *map(station, stations or ("EV-001",)))


def decision(verdict: str, revision: int, decision_id: str, **more: Any) -> dict[str, Any]:
    """Return the value of a decision about the session S1."""
    return {
        **SESSION,
        "decision_id": decision_id,
        "decision": verdict,
        "actor": "clerk-1",
        "decided_at": "2023-11-14T22:13:20Z",
        "revision": revision,
        **more,
    }


def told(worker: MemoryWorker) -> list[tuple[str, str, str]]:
    """Return kind, number and total with VAT of each invoice and credit note, in order."""
    return [
        (each["kind"], each["number"], each["cost"]["incl_vat"])
        for each in worker.records("invoices")
    ]
