"""A step of the sessions' agent over rows in memory: what it reads was encoded, as in a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from agents.charging_sessions import assemble
from evcharge.domain.session import Limits
from evcharge.domain.session_record import SessionRecord
from evcharge.engine.step import Step
from evcharge.events.rejection import Rejected

S = TypeVar("S")


class MemoryStep:
    """Rows that live on from chunk to chunk, and what the last chunk wrote."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rows: dict[bytes, bytes] = {}
        self.written: dict[bytes, bytes | None] = {}
        self.emitted: list[bytes] = []
        self.refused: list[tuple[SessionRecord, Rejected]] = []
        self.now_us = 0
        self._states: dict[bytes, tuple[Any, Callable[[Any], bytes]]] = {}

    def take(self, *records: SessionRecord) -> int:
        """Take up a chunk of records; return the bytes of keys and values that it wrote."""
        self.written = {}
        self.now_us = max(record.ingest_us for record in records)
        groups: dict[tuple[str, str], list[SessionRecord]] = {}
        for record in records:
            groups.setdefault((record.station_id, record.session_id), []).append(record)
        assemble(cast("Step", self), list(groups.items()), "sealed-sessions", self.limits)
        for key, (state, encode) in self._states.items():
            self.put(key, encode(state))
        self._states = {}
        return sum(len(key) + len(value or b"") for key, value in self.written.items())

    # -- what a step offers to the agent

    def apply(self, rule: Any, key: Any, records: Sequence[SessionRecord]) -> None:
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
        self.emitted.append(value)

    def refuse(self, said: SessionRecord, rejected: Rejected) -> None:
        self.refused.append((said, rejected))

    def count(self, name: str, amount: int) -> None:
        pass
