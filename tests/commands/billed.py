"""What workers have billed, in the topics of a deployment without any: made by the agents' own rules."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from evcharge.domain.session import Limits
from evcharge.domain.session_record import RecordKind
from evcharge.events.session_decisions import Decided, decode_session_decisions
from evcharge.kafka.partitioning import partition_of
from evcharge.reference.desk import ReferenceDesk
from evcharge.reference.reference import Reference
from evcharge.settings import Settings
from tests.agents.memory_step import MemoryStep
from tests.domain.session_records import PLUG_IN, record
from tests.read_topic import read_topic

SEALED, INVOICES, DECISIONS = "sealed-sessions", "invoices", "session-decisions"


def tariff(price: float, tariff_id: str = "T1", **members: Any) -> dict[str, Any]:
    """Return a tariff of a price for each kWh, with 20 % VAT."""
    component = {"type": "ENERGY", "price": price, "vat": 20, "step_size": 1}
    return {
        "id": tariff_id,
        "currency": "EUR",
        "last_updated": "2023-01-01T00:00:00Z",
        "elements": [{"price_components": [component]}],
    } | members


class Written(NamedTuple):
    """A record that is to be published."""

    topic: str
    station_id: str
    value: bytes


class Billed:
    """Sessions that were billed by the kWh, as workers have it in `sealed-sessions` and `invoices`.

    ``change`` is what somebody did to a record on its way there; None takes it away.
    """

    def __init__(self, settings: Settings, directory: Path, price: float = 0.5) -> None:
        self.settings = settings
        file = directory / "default.json"
        file.write_text(json.dumps(tariff(price)))
        known = replace(settings, default_tariff=file)
        desk = ReferenceDesk(Reference(known, in_memory=True), known)
        self.step = MemoryStep(Limits(), desk)
        self.change: Callable[[Written], bytes | None] = lambda written: written.value
        self._published = 0
        self._decided: set[tuple[int, int]] = set()

    def charge(
        self,
        session_id: str,
        energy: float = 10.0,
        *,
        station_id: str = "EV-001",
        at: float = 0,
        user_id: str | None = "U1",
        days_ago: float = 0,
    ) -> None:
        """Let a session happen: an hour from ``at`` minutes after 2023-05-01T10:15:30Z on."""
        ingest = (time.time() - PLUG_IN / 1e6) / 60 - days_ago * 1_440
        self.step.take(
            *(
                each._replace(station_id=station_id, session_id=session_id)
                for each in (
                    record(RecordKind.START, at, ingest=ingest, user_id=user_id),
                    record(RecordKind.END, at + 60, ingest=ingest, energy=energy),
                )
            )
        )

    def publish(self) -> None:
        """Put what was written since into the topics."""
        new = self.step.emitted[self._published :]
        self._published = len(self.step.emitted)
        written = [Written(topic, json.loads(value)["station_id"], value) for topic, value in new]
        send(
            self.settings,
            *(
                each._replace(value=value)
                for each in written
                if (value := self.change(each)) is not None
            ),
        )

    def carry_out(self) -> int:
        """Do what workers do with the decisions that are new in the log; returns how many these are."""
        records = [
            record
            for record in read(self.settings, DECISIONS)
            if (record.partition, record.offset) not in self._decided
        ]
        self._decided |= {(record.partition, record.offset) for record in records}
        for decided in decode_session_decisions(records):
            assert isinstance(decided, Decided)
            self.step.decide(decided.decision, (decided.station_id, decided.session_id))
        self.publish()
        return len(records)


def send(settings: Settings, *records: Written) -> None:
    """Append records, each where its station belongs."""

    async def put() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
            for topic, station_id, value in records:
                key = station_id.encode()
                partition = partition_of(key, settings.partitions)
                await producer.send(settings.topic(topic), value, key, partition)

    asyncio.run(put())


def read(settings: Settings, topic: str) -> list[Any]:
    """Return a topic's records."""
    return asyncio.run(read_topic(settings.bootstrap, settings.topic(topic)))
