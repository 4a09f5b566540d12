"""Steps of the sessions' agents over rows in memory: what they read was encoded, as in a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from agents.charging_sessions import assemble
from agents.session_decisions import take_decisions
from evcharge.billing.books import Books
from evcharge.billing.ledger import Ledger
from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.series import LANES
from evcharge.domain.billing.terms import Desk
from evcharge.domain.session import Limits
from evcharge.domain.session_record import SessionRecord
from evcharge.engine.chunk import FirstArrival
from evcharge.engine.step import Said, Step
from evcharge.events.rejection import Rejected
from evcharge.events.session_decisions import Decided, encode_session_decision
from evcharge.kafka.partitioning import Partitioner
from evcharge.reference.desk import ReferenceDesk
from evcharge.reference.reference import Reference
from evcharge.settings import Settings

S = TypeVar("S")

SETTINGS = Settings(issuer_name="Test GmbH", issuer_vat_id="XX1")


def free_of_charge() -> Desk:
    """Return the desk of a worker that knows no station and no tariff but the built-in one."""
    return ReferenceDesk(Reference(SETTINGS, in_memory=True), SETTINGS)


def ledger_of(settings: Settings) -> Ledger:
    """Return the ledger of a worker with these settings."""
    return Ledger(settings, Partitioner(LANES).partition_of)


class MemoryStep:
    """Rows that live on from chunk to chunk, and what the last chunk wrote."""

    def __init__(self, limits: Limits, desk: Desk | None = None) -> None:
        self.books = Books(desk or free_of_charge(), ledger_of(SETTINGS), limits)
        self.rows: dict[bytes, bytes] = {}
        self.written: dict[bytes, bytes | None] = {}
        self.emitted: list[tuple[str, bytes]] = []
        self.refused: list[tuple[Said, Rejected]] = []
        self.rejected: list[tuple[FirstArrival, Rejected, str]] = []
        """Records of earlier steps, and their topic."""
        self.source_topic = ""
        self.now_us = 0
        self._states: dict[bytes, tuple[Any, Callable[[Any], bytes]]] = {}

    def take(self, *records: SessionRecord, now_us: int | None = None) -> int:
        """Take up a chunk of records; return the bytes of keys and values that it wrote.

        ``now_us``: when its last record was appended, if that is none of these.
        """
        self.source_topic = "charging-sessions"
        self.now_us = max(each.ingest_us for each in records) if now_us is None else now_us
        groups: dict[tuple[str, str], list[SessionRecord]] = {}
        for record in records:
            groups.setdefault((record.station_id, record.session_id), []).append(record)
        self.written = {}
        assemble(cast("Step", self), list(groups.items()), self.books)
        return self._finish()

    def decide(self, decision: Decision, session: tuple[str, str] = ("EV-001", "S1")) -> int:
        """Take up a decision; return the bytes of keys and values that it wrote."""
        self.source_topic = "session-decisions"
        self.now_us = decision.ingest_us
        self.written = {}
        decided = Decided(*session, decision)
        take_decisions(cast("Step", self), [(session, [decided])], self.books)
        return self._finish()

    def _finish(self) -> int:
        for key, (state, encode) in self._states.items():
            self.put(key, encode(state))
        self._states = {}
        return sum(len(key) + len(value or b"") for key, value in self.written.items())

    def records(self, topic: str) -> list[dict[str, Any]]:
        """Return what was written to a topic."""
        return [json.loads(value) for name, value in self.emitted if name == topic]

    @property
    def sealed(self) -> list[dict[str, Any]]:
        return self.records("sealed-sessions")

    @property
    def invoices(self) -> list[dict[str, Any]]:
        """Invoices and credit notes."""
        return self.records("invoices")

    # -- what a step offers to the agent

    def apply_all(self, rule: Any, groups: Sequence[tuple[Any, Sequence[Any]]]) -> None:
        for key, records in groups:
            self.apply(rule, key, records)

    def apply(self, rule: Any, key: Any, records: Sequence[Any]) -> None:
        rule(self, key, records)

    def get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self.rows.get(key) for key in keys]

    def put(self, key: bytes, value: bytes | None) -> None:
        self.written[key] = value
        if value is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = value

    def state(self, key: bytes, decode: Callable[[bytes], S]) -> S | None:
        if key in self._states:
            return cast("S", self._states[key][0])
        value = self.rows.get(key)
        return None if value is None else decode(value)

    def put_state(self, key: bytes, state: Any, encode: Callable[[Any], bytes]) -> None:
        self._states[key] = (state, encode)

    def emit(self, topic: str, key: bytes, value: bytes) -> None:
        self.emitted.append((topic, value))

    def refuse(self, said: Said, rejected: Rejected) -> None:
        self.refused.append((said, rejected))

    def source_of(self, said: Decided) -> FirstArrival:
        value = encode_session_decision(said, said.decision.ingest_us)
        at_ms = said.decision.ingest_us // 1_000
        return FirstArrival(b"EV-001", value, at_ms, said.partition, said.offset)

    def reject(self, record: FirstArrival, rejected: Rejected, topic: str) -> None:
        self.rejected.append((record, rejected, topic))

    def count(self, name: str, amount: int) -> None:
        pass
