"""When a session is forgotten: a function of its records' ingest times, and of nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.domain.session import Limits, SessionState, advance, fold
from evcharge.domain.session.forgetting import deadline_us, is_forgotten, may_be_too_late
from evcharge.domain.session.machine import COMPLETED, HELD, VOID, State
from evcharge.domain.session_record import SessionRecord
from tests.domain import strategies
from tests.domain.session_records import (
    LIMITS,
    MINUTE,
    correction,
    end,
    minute,
    session,
    start,
    update,
)

DAY = 24 * 60
MEMORY = LIMITS.memory_us
ENDED = session(start(), end(60, 5, ingest=61))
DEADLINE = minute(61 + 100 * DAY)


def test_a_session_is_forgotten_100_days_after_the_ingest_of_its_end() -> None:
    assert deadline_us(ENDED, None, MEMORY) == DEADLINE
    assert not is_forgotten(ENDED, None, DEADLINE - 1, MEMORY)
    assert is_forgotten(ENDED, None, DEADLINE, MEMORY)


def test_event_time_plays_no_part() -> None:
    old = session(start(-1000 * DAY), end(-999 * DAY, 5, ingest=61))
    assert deadline_us(old, None, MEMORY) == DEADLINE


def test_a_late_reading_does_not_move_the_deadline_and_a_later_accepted_end_does() -> None:
    records = [start(), end(60, 5, ingest=61)]
    assert deadline_us(session(*records, update(1, 1, ingest=5000)), None, MEMORY) == DEADLINE
    corrected = session(*records, correction(60, 4, ingest=5000))
    assert deadline_us(corrected, None, MEMORY) == minute(5000 + 100 * DAY)


def test_a_session_that_was_completed_later_is_remembered_as_long_from_then_on() -> None:
    completed_us = minute(50 * DAY)
    assert deadline_us(ENDED, completed_us, MEMORY) == completed_us + MEMORY
    assert not is_forgotten(ENDED, completed_us, DEADLINE, MEMORY)


def test_a_session_that_never_ended_is_never_forgotten() -> None:
    running = session(start(), update(10, 1))
    assert deadline_us(running, None, MEMORY) is None
    assert not is_forgotten(running, None, 10 * DEADLINE, MEMORY)


def test_a_held_session_waits_for_its_person_however_long() -> None:
    held = session(start(), end(60, 5), end(70, 6))
    assert not is_forgotten(held, None, 10 * DEADLINE, MEMORY)
    assert not is_forgotten(ENDED, None, 10 * DEADLINE, MEMORY, HELD)


@pytest.mark.parametrize("decided", [COMPLETED, VOID])
def test_what_was_decided_is_forgotten_in_its_time(decided: State) -> None:
    held = session(start(), end(60, 5), end(70, 6))
    decided_us = minute(500 * DAY)
    assert not is_forgotten(held, decided_us, decided_us + MEMORY - 1, MEMORY, decided)
    assert is_forgotten(held, decided_us, decided_us + MEMORY, MEMORY, decided)


def one_by_one(records: list[SessionRecord], limits: Limits) -> list[SessionRecord]:
    """Return the records that are too late by the definition."""
    state: SessionState | None = None
    stored: list[SessionRecord] = []
    late = []
    for record in records:
        if state is not None and is_forgotten(state, None, record.ingest_us, limits.memory_us):
            late.append(record)
            continue
        state, appended = advance(state, [record], stored.copy, limits)
        stored += appended
    return late


@settings(max_examples=300, deadline=None)
@given(strategies.arrivals(), st.sampled_from([1, 2, 20, 40]))
def test_where_nothing_may_be_too_late_nothing_is(
    chunks: list[list[SessionRecord]], memory: int
) -> None:
    limits = Limits(memory_us=memory * MINUTE)
    records = [record for chunk in chunks for record in chunk]
    for upto in range(len(records)):
        before = fold(records[:upto], limits) if upto else None
        if one_by_one(records[:upto], limits):
            break
        new = records[upto:]
        if not may_be_too_late(before, new, fold(records, limits), limits.memory_us):
            assert not one_by_one(records, limits)
