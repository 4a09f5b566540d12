"""Whatever the agents write fits a record of its topic: the worker would stop with one that did not."""

from __future__ import annotations

import json
from typing import Any

from evcharge.events.tariffs import MAX_BYTES
from evcharge.testing import MemoryWorker
from evcharge.topics import deployment_topics
from evcharge.topics.catalogue import CHARGING_SESSIONS
from tests.agents.billing_events import SETTINGS, decision, priced, station, tariff
from tests.agents.session_events import START, event

ROOM = 100
"""Bytes that a batch has beside its record's."""


def assert_all_fit(worker: MemoryWorker) -> None:
    """Check that Kafka would have taken everything that was written."""
    limits = {
        worker.settings.topic(topic.name): topic.max_record_bytes - ROOM
        for topic in deployment_topics(worker.settings)
    }
    for output in worker.outputs:
        headers = sum(len(name) + len(value or b"") + 10 for name, value in output.headers)
        size = len(output.key or b"") + len(output.value or b"") + headers
        assert size <= limits[output.topic], (output.topic, size)
    for name, table in worker.app.tables.items():
        limit = limits[table.changelog_topic.get_topic_name()]
        for key, value in worker.changelog(name):
            assert len(key) + len(value or b"") <= limit, key


def of_bytes(document: dict[str, Any], size: int) -> dict[str, Any]:
    """Return a tariff with an unknown field that makes it so large."""
    empty = len(json.dumps(document | {"x": ""}, separators=(",", ":")))
    return document | {"x": "y" * (size - empty)}


def of_thousand_bands() -> dict[str, Any]:
    """Return a tariff of three prices for each of a thousand kWh, all with all of their digits."""
    digits = "9" * 25
    elements = [
        {
            "price_components": [
                {
                    "type": kind,
                    "price": f"0.{digits}{band:04}{number}",
                    "vat": f"9.{digits}{band:04}{number}",
                }
                for number, kind in enumerate(("ENERGY", "TIME", "PARKING_TIME"), 1)
            ],
            "restrictions": {"min_kwh": band, "max_kwh": band + 1},
        }
        for band in range(1_000)
    ]
    return tariff(1) | {"elements": elements}


async def test_the_bill_and_the_invoice_of_three_thousand_prices_fit_their_topics() -> None:
    readings = [
        {
            **event("update", number // 60),
            "timestamp": f"2023-05-01T10:{number // 60:02}:{number % 60:02}Z",
            "energy_kwh": number / 3 + 0.1,
            "charging": number % 3 > 0,
        }
        for number in range(3_000)
    ]
    async with MemoryWorker(SETTINGS) as worker:
        worker.publish("tariffs", of_thousand_bands())
        worker.publish("stations", station())
        await worker.send("charging-sessions", START, *readings, event("end", 59, energy_kwh=1_000))
        (invoice,) = worker.records("invoices")
        # more than what devices can write
        assert len(json.dumps(invoice, separators=(",", ":"))) > CHARGING_SESSIONS.max_record_bytes
        assert_all_fit(worker)


async def test_eight_re_ratings_that_wait_fit_their_sessions_row() -> None:
    largest = of_bytes(tariff(0.3), MAX_BYTES)
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("charging-sessions", START)
        for number in range(9):
            value = decision("rerate", 2, f"D{number}", tariff=largest)
            await worker.send("session-decisions", value)
        (given_up,) = worker.dead_letters
        assert json.loads(given_up.value or b"")["decision_id"] == "D0"
        kept = worker.state.kept("EV-001", "S1")
        assert kept is not None
        assert kept.account is not None
        assert len(kept.account.waiting or ()) == 8
        assert_all_fit(worker)
