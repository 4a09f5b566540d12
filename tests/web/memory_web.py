"""The whole application in memory, asked over HTTP; what is decided reaches its own agent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from evcharge.engine.chunk import FirstArrival
from evcharge.errors import EvchargeError
from evcharge.reference.feed import ReferenceRecord
from evcharge.settings import Settings
from evcharge.testing import NOW_MS, MemoryWorker
from evcharge.web.context import WebContext
from evcharge.web.metrics import Metrics
from evcharge.web.peers import Peers
from evcharge.web.routes import add_routes
from tests.web.fake_worker import Answer, ask

STATION, SESSION = "EV-001", "S1"


def event(kind: str, minute: int, **more: Any) -> dict[str, Any]:
    """Return a `start`, `update` or `end` of the session in a minute after 10:00."""
    return {
        "session_id": SESSION,
        "station_id": STATION,
        "event": f"session_{kind}",
        "timestamp": f"2023-05-01T10:{minute:02}:00Z",
        **more,
    }


START = event("start", 0, user_id="U1")
UPDATE = event("update", 20, energy_kwh=4, power_kw=11)
END = event("end", 30, energy_kwh=10)
"""Ten kilowatt-hours: 5.00 without VAT, 6.00 with it."""


class AgentsLog:
    """A decision log that the agent reads at once, unless it is told not to."""

    def __init__(self, worker: MemoryWorker) -> None:
        self._worker = worker
        self.records: list[bytes] = []
        self.is_read = True
        self.is_there = True

    async def append(self, partition: int, station_id: str, record: bytes) -> None:
        if not self.is_there:
            raise EvchargeError("no Kafka answers")
        self.records.append(record)
        if self.is_read:
            offset = len(self.records)
            arrived = FirstArrival(station_id.encode(), record, NOW_MS, partition, offset)
            await self._worker.deliver("session-decisions", partition, [arrived])


class MemoryWeb:
    """One worker in memory with its HTTP interface."""

    def __init__(self, worker: MemoryWorker, log: AgentsLog, url: str) -> None:
        self.worker = worker
        self.log = log
        self.url = url
        self._tariffs = 0
        self.client: aiohttp.ClientSession

    async def ask(
        self, path: str, method: str = "GET", body: object = None, **headers: str
    ) -> Answer:
        return await ask(self.client, self.url + path, method, body, headers)

    async def get(self, path: str) -> Any:
        """Return the JSON of an answer that is one."""
        answer = await self.ask(path)
        assert answer.status == 200, answer.text
        return answer.json

    async def session(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.get(f"/v1/sessions/{SESSION}")
        return found

    async def send(self, *events: dict[str, Any]) -> None:
        await self.worker.send("charging-sessions", *events)

    async def decide(self, decision: str, revision: int, **more: Any) -> Answer:
        body = {"station_id": STATION, "decision": decision, "actor": "A1", "revision": revision}
        return await self.ask(f"/v1/sessions/{SESSION}/decisions", "POST", body | more)

    def publish(self, price: str = "0.50", station_id: str = STATION, **more: Any) -> None:
        """Publish a version of the tariff T1 with a price for each kWh, and let a station name it."""
        component = {"type": "ENERGY", "price": price, "vat": "20"}
        tariff = {
            "id": "T1",
            "currency": "EUR",
            "last_updated": "2023-01-01T00:00:00Z",
            "elements": [{"price_components": [component]}],
        } | more
        station = {"station_id": station_id, "tariff_id": "T1", "time_zone": "Europe/Paris"}
        reference, at = self.worker.app.reference, self._tariffs
        document = json.dumps(tariff).encode()
        reference.tariffs.apply([ReferenceRecord(at, at * 1000, None, document)])
        self.register(station)

    def register(self, station: dict[str, Any]) -> None:
        """Publish an entry of the register."""
        at = self._tariffs = self._tariffs + 1
        record = ReferenceRecord(at, at, None, json.dumps(station).encode())
        self.worker.app.reference.register.apply([record])


@asynccontextmanager
async def memory_web(**settings: Any) -> AsyncIterator[MemoryWeb]:
    """Start the application; the station of the session charges 0.50 EUR for each kWh."""
    settings = {"partitions": 4, "issuer_name": "Watt", **settings}
    async with MemoryWorker(Settings(**settings)) as worker:
        application, log = web.Application(), AgentsLog(worker)
        server = TestServer(application)
        async with aiohttp.ClientSession() as client:
            context = WebContext(
                reader=worker.state,
                peers=Peers("", lambda: client),
                metrics=Metrics(),
                desk=worker.app.desk,
                decisions=log,
                silence_us=1,
                decision_patience_s=0.2,
            )
            add_routes(application, context)
            await server.start_server()
            made = MemoryWeb(worker, log, str(server.make_url("")).rstrip("/"))
            made.client = client
            made.publish()
            try:
                yield made
            finally:
                await server.close()
