"""A stream of device events from a seed: what is normal, what is odd, and what is junk.

Names, times and values come from small pools, so that ties, repeats and contradictions are common.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from evcharge.kafka.partitioning import Partitioner
from tests.torture.reviewer import Reviewer

STATUSES = ("free", "occupied", "reserved", "unavailable", "faulted")
FIRST = datetime(2023, 5, 1, tzinfo=UTC)
JUNK = (
    b"no json",
    b"{}",
    b"[1]",
    b"\xff\xfe",
    b'{"station_id":"EV-001"}',
    b'{"station_id":"EV-001","timestamp":"2023-05-01T10:15:30","status":"free"}',
    b'{"station_id":"EV-001","timestamp":"2199-05-01T10:15:30Z","status":"free"}',
    b'{"event":"session_end","session_id":"S1","station_id":"EV 1","timestamp":"x"}',
    b'{"padding":"' + b"x" * 70_000 + b'"}',
    None,
)


class Sent(NamedTuple):
    """One record to produce."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Fleet:
    """Stations with their sessions; every choice comes from ``chance``."""

    def __init__(self, chance: random.Random, partitions: int, stations: int = 30) -> None:
        self._chance = chance
        self._partitioner = Partitioner(partitions)
        self.stations = [f"EV-{number:03}" for number in range(stations)]
        self._at_s = 0.0
        self._open: list[dict[str, Any]] = []
        self._sessions = 0
        self._recent: deque[Sent] = deque(maxlen=400)
        self._late: list[Sent] = []
        self._reviewer = Reviewer(random.Random(chance.random()))
        self._ended: deque[dict[str, Any]] = deque(maxlen=100)

    def events(self) -> Iterator[Sent]:
        """Yield records without end."""
        while True:
            for sent in self._next():
                self._recent.append(sent)
                yield sent

    def _next(self) -> list[Sent]:
        chance = self._chance
        self._at_s += chance.random() * 4
        dice = chance.random()
        if dice < 0.02:
            topic = chance.choice(["station-status", "charging-sessions", "session-decisions"])
            partition = chance.randrange(self._partitioner.partitions)
            value = chance.choice(JUNK)
            # aiokafka sends nothing that has neither.
            key = b"k" if value is None else chance.choice([None, b"k", b"EV-001"])
            return [Sent(topic, partition, key, value, self._headers())]
        if dice < 0.07 and self._recent:
            return [chance.choice(self._recent)]
        if dice < 0.10 and self._late:
            return [self._late.pop(chance.randrange(len(self._late)))]
        if dice < 0.1005:
            return self._burst()
        if dice < 0.112 and self._ended:
            return [self._decision()]
        if dice < 0.118 and self._ended:
            return [self._changed()]
        sent = self._status() if dice < 0.35 else self._session()
        if chance.random() < 0.04 and len(self._late) < 500:
            self._late.append(sent)
            return []
        return [sent]

    def _status(self) -> Sent:
        chance = self._chance
        event: dict[str, Any] = {
            "station_id": chance.choice(self.stations),
            "timestamp": self._time(chance.choice([0, 0, 0, -1, -60])),
            "status": chance.choice(STATUSES),
        }
        if chance.random() < 0.6:
            event["connector_id"] = chance.choice([0, 1, 1, 2])
        if chance.random() < 0.1:
            event["error_code"] = chance.choice(["HighTemperature", "ü" * 300])
        return self._sent("station-status", event)

    def _burst(self) -> list[Sent]:
        """One station speaks for all of very many plugs: its row is larger than others together."""
        station, at = self._chance.choice(self.stations), self._time(0)
        words = {"station_id": station, "timestamp": at, "status": "free", "error_code": "x" * 200}
        count = self._chance.choice([50, 900])
        return [
            self._sent("station-status", words | {"connector_id": plug}) for plug in range(3, count)
        ]

    def _decision(self) -> Sent:
        """Somebody decides about a session that has ended, or about one that goes on."""
        chance = self._chance
        of = chance.choice(self._open if self._open and chance.random() < 0.1 else self._ended)
        decision = self._reviewer.decide(
            of["station_id"], of["session_id"], of.get("sent", 1), self._time(0)
        )
        return self._sent("session-decisions", decision)

    def _changed(self) -> Sent:
        """An ended session is told otherwise: by then it is invoiced."""
        chance = self._chance
        of = chance.choice(self._ended)
        if chance.random() < 0.5:
            energy = round(of["energy"] * chance.choice([0.5, 1, 2]), 3)
            return self._of(of, "session_end", energy_kwh=energy, correction=True)
        late = {"energy_kwh": round(of["energy"] / 2, 3), "user_id": self._user()}
        return self._of(of, "session_update", **late)

    def _session(self) -> Sent:
        chance = self._chance
        dice = chance.random()
        if dice < 0.04 or not self._open:
            self._sessions += 1
            of: dict[str, Any] = {
                "session_id": f"S{self._sessions}",
                "station_id": chance.choice(self.stations),
                "energy": 0.0,
                "meter": chance.choice([None, 0.0, 4076.5]),
            }
            if chance.random() < 0.1:
                self._ended.append(of)
                return self._closed(of)
            self._open.append(of)
            return self._of(of, "session_start", meter_kwh=of["meter"], user_id=self._user())
        of = chance.choice(self._open)
        if dice < 0.10:
            self._open.remove(of)
            self._ended.append(of)
            if chance.random() < 0.05:
                self._late.append(self._of(of, "session_end", energy_kwh=1.0, correction=True))
            return self._of(of, "session_end", energy_kwh=round(of["energy"], 3))
        of["energy"] += chance.random()
        if of["meter"] is not None and chance.random() < 0.3:
            register = round(of["meter"] + of["energy"], 3)
            return self._of(of, "session_update", meter_kwh=register, power_kw=11)
        user = self._user() if chance.random() < 0.02 else None
        return self._of(of, "session_update", energy_kwh=round(of["energy"], 3), user_id=user)

    def _closed(self, of: dict[str, Any]) -> Sent:
        event: dict[str, Any] = {
            "session_id": of["session_id"],
            "station_id": of["station_id"],
            "start_time": self._time(-3600),
            "end_time": self._time(0),
            "energy_kwh": 22.5,
        }
        if user := self._user():
            event["user_id"] = user
        return self._sent("charging-sessions", event)

    def _of(self, of: dict[str, Any], event: str, **said: Any) -> Sent:
        of["sent"] = of.get("sent", 0) + 1
        facts = {"event": event, "session_id": of["session_id"], "station_id": of["station_id"]}
        facts |= {name: value for name, value in said.items() if value is not None}
        facts["timestamp"] = self._time(self._chance.choice([0, 0, 0, 0, -1, -600]))
        return self._sent("charging-sessions", facts)

    def _user(self) -> str | None:
        return self._chance.choice([None, "U1", "U2"])

    def _time(self, after_s: float) -> str:
        at = FIRST + timedelta(seconds=int(self._at_s + after_s))
        return at.isoformat().replace("+00:00", "Z")

    def _headers(self) -> list[tuple[str, bytes]]:
        return [("trace", b"1"), ("reason", b"theirs")] if self._chance.random() < 0.3 else []

    def _sent(self, topic: str, event: dict[str, Any]) -> Sent:
        station: str = event["station_id"]
        partition = self._partitioner.partition_of(station)
        if self._chance.random() < 0.08:
            partition = self._chance.randrange(self._partitioner.partitions)
        return Sent(topic, partition, station.encode(), json.dumps(event).encode(), self._headers())
