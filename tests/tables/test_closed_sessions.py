"""The queue of completed sessions: everything due is forgotten, a bounded part of it in each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest

from evcharge.domain.quantities import DAY_US
from evcharge.domain.session import Limits, fold
from evcharge.domain.session_record import SessionRecord
from tables.charging_sessions import (
    PRESENT,
    SessionRow,
    block_key,
    encode_session,
    index_key,
    session_key,
)
from tables.closed_sessions import (
    QUEUE_KEY,
    ROWS_A_SESSION,
    ROWS_A_STEP,
    SESSIONS_A_ROW,
    completed_key,
    decode_queue,
    forget_due,
)
from tests.domain.session_records import PLUG_IN, end, start, update

S = TypeVar("S")
LIMITS = Limits()
DONE = [start(), update(10, 1), end(60, 5)]
HELD = [*DONE, end(70, 6)]
LATER = PLUG_IN + 200 * DAY_US


def nobody(*_: object) -> None:
    """Be told of no account."""


class StepRows:
    """Rows as a step sees them; counts what it writes."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.written: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def put(self, key: bytes, value: bytes | None) -> None:
        self.written[key] = value
        if value is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = value

    def state(self, key: bytes, decode: Callable[[bytes], S]) -> S | None:
        value = self.rows.get(key)
        return None if value is None else decode(value)

    def put_state(self, key: bytes, state: Any, encode: Callable[[Any], bytes]) -> None:
        self.put(key, encode(state))

    def add(self, session_id: str, records: Sequence[SessionRecord], blocks: int = 2) -> None:
        row = SessionRow(blocks, fold(records, LIMITS))
        self.rows[session_key("A", session_id)] = encode_session(row)
        self.rows[index_key(session_id, "A")] = PRESENT
        for number in range(blocks):
            self.rows[block_key("A", session_id, number)] = b"records"

    def step(self, *completed: str, now_us: int) -> int:
        self.written = {}
        return forget_due(self, [("A", each) for each in completed], now_us, LIMITS, nobody)


def test_a_step_that_completes_nothing_and_finds_nothing_due_writes_nothing() -> None:
    rows = StepRows()
    assert rows.step(now_us=LATER) == 0
    assert rows.written == {}
    rows.add("1", DONE)
    rows.step("1", now_us=PLUG_IN)
    rows.step(now_us=PLUG_IN + 100 * DAY_US)
    assert rows.written == {}


def test_of_a_forgotten_session_only_a_small_marker_is_left() -> None:
    rows = StepRows()
    rows.add("1", DONE, blocks=3)
    rows.step("1", now_us=PLUG_IN)
    assert rows.step(now_us=LATER) == 1
    assert rows.rows.keys() == {session_key("A", "1"), QUEUE_KEY}
    assert rows.rows[session_key("A", "1")] == PRESENT


def test_nothing_is_deleted_within_a_day_of_the_deadline() -> None:
    rows = StepRows()
    rows.add("1", DONE)
    rows.step("1", now_us=PLUG_IN + DAY_US)
    assert rows.step(now_us=PLUG_IN + 102 * DAY_US - 1) == 0
    assert rows.step(now_us=PLUG_IN + 102 * DAY_US) == 1


def test_a_session_that_is_held_when_its_time_comes_stays_whole() -> None:
    rows = StepRows()
    rows.add("1", DONE)
    rows.step("1", now_us=PLUG_IN)
    rows.add("1", HELD)
    before = dict(rows.rows)
    assert rows.step(now_us=LATER) == 0
    assert {key: rows.rows.get(key) for key in before if key[:1] in b"SIR"} == {
        key: value for key, value in before.items() if key[:1] in b"SIR"
    }
    # A decision completes it: it comes to the queue again.
    rows.add("1", DONE)
    rows.step("1", now_us=LATER)
    assert rows.step(now_us=LATER + 200 * DAY_US) == 1


def test_a_session_that_was_closed_long_behind_the_step_that_entered_it_goes_on_waiting() -> None:
    rows = StepRows()
    rows.add("1", DONE)
    rows.step("1", now_us=PLUG_IN - 50 * DAY_US)
    assert rows.step(now_us=PLUG_IN + 60 * DAY_US) == 0
    assert rows.step(now_us=PLUG_IN + 161 * DAY_US - 1) == 0
    assert rows.step(now_us=PLUG_IN + 161 * DAY_US) == 1
    assert rows.rows.keys() == {session_key("A", "1"), QUEUE_KEY}


def test_a_session_that_was_completed_twice_is_forgotten_once() -> None:
    rows = StepRows()
    rows.add("1", DONE)
    rows.step("1", now_us=PLUG_IN)
    rows.step("1", now_us=PLUG_IN)
    assert rows.step(now_us=LATER) == 1
    assert rows.rows.keys() == {session_key("A", "1"), QUEUE_KEY}


@pytest.mark.parametrize("blocks", [0, 7, 2_000])
def test_a_backlog_is_forgotten_in_bounded_steps_until_nothing_is_left(blocks: int) -> None:
    rows = StepRows()
    count = 3 if blocks > 100 else 3 * SESSIONS_A_ROW + 1
    ids = [str(number) for number in range(count)]
    for each in ids:
        rows.add(each, DONE, blocks)
    rows.step(*ids, now_us=PLUG_IN)
    forgotten = steps = 0
    while forgotten < count:
        done = rows.step(now_us=LATER)
        assert done >= 1
        assert len(rows.written) <= ROWS_A_STEP + blocks + 10
        forgotten += done
        steps += 1
    assert rows.rows.keys() == {QUEUE_KEY, *(session_key("A", each) for each in ids)}
    assert steps <= 1 + count * (blocks + 3) // ROWS_A_STEP + 1


def test_a_step_forgets_more_than_it_completes() -> None:
    # Typical sessions: a backlog shrinks while new ones are completed as fast as ever.
    rows = StepRows()
    old = [f"old-{number}" for number in range(400)]
    for each in old:
        rows.add(each, DONE, blocks=10)
    rows.step(*old, now_us=PLUG_IN)
    new = [f"new-{number}" for number in range(50)]
    for each in new:
        rows.add(each, DONE)
    assert rows.step(*new, now_us=LATER) > len(new)
    assert ROWS_A_SESSION > 10 + 3


def test_the_rows_of_completed_sessions_are_small_and_numbered() -> None:
    rows = StepRows()
    ids = [str(number) for number in range(SESSIONS_A_ROW + 1)]
    for each in ids:
        rows.add(each, DONE)
    rows.step(*ids, now_us=PLUG_IN)
    queue = decode_queue(rows.rows[QUEUE_KEY])
    assert (queue.first, queue.behind, queue.first_us) == (0, 2, PLUG_IN)
    assert {completed_key(0), completed_key(1)} < rows.rows.keys()
