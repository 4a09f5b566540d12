"""Held sessions are found by rows of their own, kept with the session's row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.decision import Verdict
from evcharge.domain.session import Limits, fold
from evcharge.domain.session_record import SessionRecord
from evcharge.storage.partition_store import MemoryPartition
from tables.charging_sessions import PRESENT, SessionRow, decode_session, session_key
from tables.held_sessions import held_key, held_sessions, is_held
from tables.kept_session import keep_session
from tests.domain.session_records import end, start

HELD = [end(30, 5)]
"""Nothing says when it started."""


class Rows:
    """A step's rows, in a store."""

    def __init__(self) -> None:
        self.store = MemoryPartition()
        self.written: set[bytes] = set()

    def get(self, key: bytes) -> bytes | None:
        return self.store.get(key)

    def put(self, key: bytes, value: bytes | None) -> None:
        self.written.add(key)
        self.store.write({key: value}, 0)

    def state(self, key: bytes, decode: Callable[[bytes], Any]) -> Any:
        value = self.get(key)
        return None if value is None else decode(value)

    def put_state(self, key: bytes, state: Any, encode: Callable[[Any], bytes]) -> None:
        self.put(key, encode(state))

    def keep(
        self, session: tuple[str, str], records: list[SessionRecord], account: Account | None = None
    ) -> None:
        self.written.clear()
        row: SessionRow | None = self.state(session_key(*session), decode_session)
        keep_session(self, session, row, fold(records, Limits()), [], account, None)


def test_a_session_has_a_row_from_when_it_is_held_until_it_no_longer_is() -> None:
    rows, session = Rows(), ("EV-001", "S1")
    rows.keep(session, [start(0)])
    assert held_key(*session) not in rows.written
    rows.keep(session, HELD)
    assert rows.get(held_key(*session)) == PRESENT
    rows.keep(session, [*HELD, end(40, 5)])
    assert held_key(*session) not in rows.written
    rows.keep(session, [start(0), *HELD])
    assert rows.get(held_key(*session)) is None


def test_a_decision_takes_the_row_away_and_a_change_behind_it_brings_it_back() -> None:
    rows, session = Rows(), ("EV-001", "S1")
    state = fold(HELD, Limits())
    void = Account(verdict=Verdict.VOID, accepted=state.reasons)
    rows.keep(session, HELD)
    rows.keep(session, HELD, void)
    assert list(held_sessions(rows.store)) == []
    rows.keep(session, HELD, void._replace(changed=True))
    assert list(held_sessions(rows.store)) == [session]
    assert is_held(state, void._replace(changed=True))


def test_held_sessions_are_sorted_by_station_and_session_and_go_on_behind_one() -> None:
    rows = Rows()
    sessions = [("A", "1"), ("A", "10"), ("A", "2"), ("A-", "1"), ("AB", "1")]
    for session in reversed(sessions):
        rows.keep(session, HELD)
    assert list(held_sessions(rows.store)) == sessions
    for place, session in enumerate(sessions, 1):
        assert list(held_sessions(rows.store, session)) == sessions[place:]
    assert list(held_sessions(rows.store, ("A", "11"))) == sessions[2:]
