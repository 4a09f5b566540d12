"""Every cell of the state machine, state by event, is what the real rules do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from evcharge.domain.session import Lifecycle, Limits, SessionState, advance, fold
from evcharge.domain.session.forgetting import is_forgotten
from evcharge.domain.session.machine import (
    ACTIVE,
    COMPLETED,
    DECISIONS,
    FORGOTTEN,
    HELD,
    RECORDS,
    STATES,
    TABLE,
    UNKNOWN,
    VOID,
    WHEN,
    Absent,
    Cell,
    Event,
    Refusal,
    State,
    cells,
    decided,
    event_of,
    is_billable,
    lifecycle_of,
)
from evcharge.domain.session_record import SessionRecord
from tests.domain import strategies
from tests.domain.session_records import (
    LIMITS,
    PLUG_IN,
    closed,
    correction,
    end,
    session,
    start,
    update,
)

FOUR = Limits(max_readings=4)
"""So that one more record than four is too many."""

RUNNING = [start(), update(10, 1)]
FULL = [start(), *(update(each, each) for each in (10, 20, 25))]
ENDED = [start(), update(10, 1), end(60, 5)]
STATED = [closed(60, 5)]
NO_START = [update(10, 1), end(60, 5)]
NO_ENERGY = [start(), end(60)]
CONFLICT = [start(), end(60, 5), end(70, 6)]

EXAMPLES: dict[State, dict[Event, list[tuple[list[SessionRecord], SessionRecord, State]]]] = {
    # state: event: (the records before, the next one, the state then); one for each way that a cell has
    UNKNOWN: {
        Event.START: [([], start(), ACTIVE)],
        Event.UPDATE: [([], update(10, 1), ACTIVE)],
        Event.END: [([], end(60, 5, start_time_us=PLUG_IN), COMPLETED), ([], end(60, 5), HELD)],
        Event.CORRECTION: [
            ([], correction(60, 5, start_time_us=PLUG_IN), COMPLETED),
            ([], correction(60, 5), HELD),
        ],
        Event.CLOSED: [([], closed(60, 5), COMPLETED), ([], closed(60), HELD)],
    },
    ACTIVE: {
        Event.START: [(RUNNING, start(1), ACTIVE), (FULL, start(1), HELD)],
        Event.UPDATE: [(RUNNING, update(20, 2), ACTIVE), (FULL, update(30, 30), HELD)],
        Event.END: [(RUNNING, end(60, 5), COMPLETED), (RUNNING, end(60, 0.5), HELD)],
        Event.CORRECTION: [
            (RUNNING, correction(60, 5), COMPLETED),
            ([update(10, 1)], correction(60, 5), HELD),
        ],
        Event.CLOSED: [(RUNNING, closed(60, 5), COMPLETED), (RUNNING, closed(60, 0.5), HELD)],
    },
    COMPLETED: {
        Event.START: [(STATED, start(7), COMPLETED), (STATED, start(61), HELD)],
        Event.UPDATE: [(STATED, update(61, 9), COMPLETED), (STATED, update(50, 9), HELD)],
        Event.END: [(STATED, end(60, 5), COMPLETED), (STATED, end(70, 6), HELD)],
        Event.CORRECTION: [
            (STATED, correction(60, 4), COMPLETED),
            (STATED, correction(-1, 4), HELD),
        ],
        Event.CLOSED: [
            (ENDED[:1] + ENDED[2:], closed(60, 5), COMPLETED),
            (STATED, closed(60, 6), HELD),
        ],
    },
    HELD: {
        Event.START: [(NO_START, start(), COMPLETED), (NO_START, start(61), HELD)],
        Event.UPDATE: [(NO_ENERGY, update(59, 5), COMPLETED), (NO_ENERGY, update(61, 5), HELD)],
        Event.END: [(NO_ENERGY, end(60, 5), COMPLETED), (NO_START, end(60, 5, seq=1), HELD)],
        Event.CORRECTION: [
            (CONFLICT, correction(60, 5), COMPLETED),
            (NO_START, correction(60, 5), HELD),
        ],
        Event.CLOSED: [(NO_START[1:], closed(60, 5), COMPLETED), (CONFLICT, closed(60, 5), HELD)],
    },
}

BEFORE_A_DECISION: dict[State, list[SessionState | None]] = {
    UNKNOWN: [None],
    ACTIVE: [session(*RUNNING)],
    COMPLETED: [session(*ENDED)],
    HELD: [session(*CONFLICT), session(*NO_START), session(*FULL, update(30, 30), limits=FOUR)],
    VOID: [session(*ENDED), session(*CONFLICT), session(*NO_START)],
}


def take(before: Sequence[SessionRecord], record: SessionRecord) -> tuple[State, State]:
    """Return the state before and after a record."""
    state = fold(before, FOUR) if before else None
    after = advance(state, [record], lambda: before, FOUR).state
    assert after == fold([*before, record], FOUR)
    return _state(state), lifecycle_of(after)


def _state(state: SessionState | None) -> State:
    return UNKNOWN if state is None else lifecycle_of(state)


def test_the_table_has_every_cell() -> None:
    assert {state: set(row) for state, row in TABLE.items()} == {s: set(Event) for s in STATES}
    assert set(STATES) == {*Lifecycle, *Absent}
    assert {*RECORDS, *DECISIONS, Event.DEADLINE} == set(Event)


@pytest.mark.parametrize("event", RECORDS)
@pytest.mark.parametrize("state", EXAMPLES)
def test_a_record_leads_from_every_state_where_the_table_says_and_everywhere_it_says(
    state: State, event: Event
) -> None:
    reached = []
    for before, record, expected in EXAMPLES[state][event]:
        assert event_of(record) is event
        assert take(before, record) == (state, expected)
        reached.append(expected)
    assert sorted(reached) == sorted(TABLE[state][event].into)
    assert TABLE[state][event].refusal is Refusal.NONE


@settings(max_examples=300, deadline=None)
@given(strategies.arrivals(), strategies.small_limits)
def test_no_record_leads_where_the_table_does_not_say(
    chunks: list[list[SessionRecord]], limits: Limits
) -> None:
    state: SessionState | None = None
    stored: list[SessionRecord] = []
    for record in (record for chunk in chunks for record in chunk):
        before = _state(state)
        state, appended = advance(state, [record], stored.copy, limits)
        stored += appended
        assert lifecycle_of(state) in {*TABLE[before][event_of(record)].into, before}


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("state", BEFORE_A_DECISION)
def test_a_decision_leads_from_every_state_where_the_table_says(
    state: State, decision: Event
) -> None:
    (after,), refusal = TABLE[state][decision]
    for facts in BEFORE_A_DECISION[state]:
        if facts is not None and state is not VOID:
            assert lifecycle_of(facts) is state
        billable = facts is not None and is_billable(facts)
        refused = bool(refusal) or (after is COMPLETED and not billable)
        assert decided(state, decision, billable=billable) is (None if refused else after)


@pytest.mark.parametrize("decision", DECISIONS)
def test_no_decision_brings_a_forgotten_session_back(decision: Event) -> None:
    assert decided(FORGOTTEN, decision, billable=True) is None


@pytest.mark.parametrize("state", BEFORE_A_DECISION)
def test_after_the_deadline_those_sessions_are_forgotten_that_the_table_says(state: State) -> None:
    (after,), _ = TABLE[state][Event.DEADLINE]
    for facts in filter(None, BEFORE_A_DECISION[state]):
        long_after = facts.updated_us + 10 * LIMITS.memory_us
        assert is_forgotten(facts, None, long_after, LIMITS.memory_us, state) is (
            after is FORGOTTEN and facts.ended_us is not None
        )


def test_every_record_of_a_forgotten_session_is_too_late_and_of_a_void_one_evidence() -> None:
    for event in RECORDS:
        assert TABLE[FORGOTTEN][event] == Cell((FORGOTTEN,), Refusal.TOO_LATE)
        assert TABLE[VOID][event] == Cell((VOID, HELD))


def test_what_is_refused_changes_nothing() -> None:
    assert all(cell.into == (state,) for state, _, cell in cells() if cell.refusal)


def test_where_a_record_can_lead_to_several_states_it_is_said_when() -> None:
    assert all(set(cell.into) <= set(WHEN) for _, _, cell in cells() if len(cell.into) > 1)


@pytest.mark.parametrize(
    ("records", "billable"),
    [(ENDED, True), (CONFLICT, True), (RUNNING, False), (NO_START, False), (NO_ENERGY, False)],
)
def test_only_facts_that_can_be_billed_can_be_approved(
    records: list[SessionRecord], billable: bool
) -> None:
    assert is_billable(session(*records)) is billable
    assert not is_billable(session(start(61), end(60, 5)))


def test_a_reason_that_is_not_of_the_records_holds_a_completed_session_only() -> None:
    assert lifecycle_of(session(*ENDED), besides=512) is HELD
    assert lifecycle_of(session(*RUNNING), besides=512) is ACTIVE


@pytest.mark.parametrize("settled", [COMPLETED, VOID])
def test_what_was_settled_stays_so_until_another_reason_comes_up(settled: Lifecycle) -> None:
    conflict = session(*CONFLICT)
    assert lifecycle_of(conflict, settled=settled) is HELD
    assert lifecycle_of(conflict, accepted=conflict.reasons, settled=settled) is settled
    assert lifecycle_of(conflict, 512, accepted=conflict.reasons, settled=settled) is HELD
    assert lifecycle_of(session(*RUNNING), settled=settled) is settled
