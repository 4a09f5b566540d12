"""Every cell of the state machine, state by event, is what the real rules do.

The rules are those of the agents, with bills and decisions (``billing_desk.Till``). A forgotten session
is only a marker in the agents' table: ``tests/agents/test_forgotten_sessions.py`` has its cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings

from evcharge.domain.billing.account import facts_of
from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.settle import HARMLESS
from evcharge.domain.billing.standing import settled_lifecycle
from evcharge.domain.session import Lifecycle, Limits, fold
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
    Event,
    Refusal,
    State,
    cells,
    lifecycle_of,
)
from evcharge.domain.session_record import RecordKind, SessionRecord
from tests.domain import strategies
from tests.domain.billing_desk import Till, approve, correct, void
from tests.domain.session_records import (
    LIMITS,
    PLUG_IN,
    closed,
    correction,
    end,
    minute,
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


class Made(NamedTuple):
    """How a session came to be what it is."""

    records: list[SessionRecord]
    is_void: bool = False


VOIDED = Made(ENDED, is_void=True)

EXAMPLES: dict[
    State, dict[Event, list[tuple[list[SessionRecord] | Made, SessionRecord, State]]]
] = {
    # state: event: (what came before, the next record, the state then); one for each way of a cell
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
    VOID: {
        Event.START: [(VOIDED, start(1), VOID), (VOIDED, start(-1), HELD)],
        Event.UPDATE: [(VOIDED, update(61, 9), VOID), (VOIDED, update(59, 9), HELD)],
        Event.END: [(VOIDED, end(60, 5), VOID), (VOIDED, end(70, 6), HELD)],
        Event.CORRECTION: [(VOIDED, correction(60, 5), VOID), (VOIDED, correction(60, 4), HELD)],
        Event.CLOSED: [(VOIDED, closed(60, 5), VOID), (VOIDED, closed(60, 6), HELD)],
    },
}

Decide = Callable[[int], Decision]


def _correct(revision: int) -> Decision:
    return correct(revision, energy=2, started_us=minute(0), ended_us=minute(9))


def _correct_energy(revision: int) -> Decision:
    return correct(revision, energy=2)


DECIDED: dict[State, dict[Event, list[tuple[Made, Decide, State, bool]]]] = {
    # state: event: (what came before, the decision, the state then, whether it is carried out)
    UNKNOWN: {
        Event.APPROVE: [(Made([]), approve, UNKNOWN, False)],
        Event.CORRECT: [(Made([]), _correct, UNKNOWN, False)],
        Event.VOID: [(Made([]), void, UNKNOWN, False)],
    },
    ACTIVE: {
        Event.APPROVE: [(Made(RUNNING), approve, ACTIVE, False)],
        Event.CORRECT: [
            (Made(RUNNING), _correct, COMPLETED, True),
            (Made(RUNNING), _correct_energy, ACTIVE, False),
        ],
        Event.VOID: [(Made(RUNNING), void, VOID, True)],
    },
    COMPLETED: {
        Event.APPROVE: [(Made(ENDED), approve, COMPLETED, True)],
        Event.CORRECT: [(Made(ENDED), _correct, COMPLETED, True)],
        Event.VOID: [(Made(ENDED), void, VOID, True)],
    },
    HELD: {
        Event.APPROVE: [
            (Made(CONFLICT), approve, COMPLETED, True),
            (Made(NO_START), approve, HELD, False),
            (Made([*FULL, update(30, 30)]), approve, HELD, False),
        ],
        Event.CORRECT: [
            (Made(CONFLICT), _correct, COMPLETED, True),
            (Made(NO_START), _correct, COMPLETED, True),
            (Made(NO_START), _correct_energy, HELD, False),
        ],
        Event.VOID: [(Made(CONFLICT), void, VOID, True), (Made(NO_START), void, VOID, True)],
    },
    VOID: {
        Event.APPROVE: [
            (VOIDED, approve, COMPLETED, True),
            (Made(NO_START, is_void=True), approve, VOID, False),
        ],
        Event.CORRECT: [
            (VOIDED, _correct, COMPLETED, True),
            (Made(RUNNING, is_void=True), _correct_energy, VOID, False),
        ],
        Event.VOID: [(VOIDED, void, VOID, True), (Made(RUNNING, is_void=True), void, VOID, True)],
    },
}


def till_of(made: Made | list[SessionRecord]) -> Till:
    """Return a session that the real rules have made."""
    records, is_void = made if isinstance(made, Made) else Made(made)
    till = Till(limits=FOUR)
    if records:
        till.send(*records)
    if is_void:
        till.decide(void(seen(till)))
    return till


def seen(till: Till) -> int:
    """Return the revision that a person sees; of a session nobody knows, one that is to come."""
    return till.state.revision if till.state else 1


def state_of(till: Till) -> State:
    return settled_lifecycle(till.state, till.account) if till.state else UNKNOWN


def event_of(record: SessionRecord) -> Event:
    if record.correction and record.kind is RecordKind.END:
        return Event.CORRECTION
    return {
        RecordKind.START: Event.START,
        RecordKind.UPDATE: Event.UPDATE,
        RecordKind.END: Event.END,
        RecordKind.CLOSED: Event.CLOSED,
    }[record.kind]


def test_the_table_has_every_cell() -> None:
    assert {state: set(row) for state, row in TABLE.items()} == {s: set(Event) for s in STATES}
    assert set(STATES) == {*Lifecycle, *Absent}
    assert {*RECORDS, *DECISIONS, Event.DEADLINE} == set(Event)


@pytest.mark.parametrize("event", RECORDS)
@pytest.mark.parametrize("state", [each for each in STATES if each is not FORGOTTEN])
def test_a_record_leads_from_every_state_where_the_table_says_and_everywhere_it_says(
    state: State, event: Event
) -> None:
    reached = []
    for before, record, expected in EXAMPLES[state][event]:
        assert event_of(record) is event
        till = till_of(before)
        assert state_of(till) is state
        till.send(record)
        assert state_of(till) is expected
        records = before.records if isinstance(before, Made) else before
        assert till.state == fold([*records, record], FOUR)
        reached.append(expected)
    assert sorted(reached) == sorted(TABLE[state][event].into)
    assert TABLE[state][event].refusal is Refusal.NONE


@settings(max_examples=200, deadline=None)
@given(strategies.arrivals(), strategies.small_limits)
def test_no_record_leads_where_the_table_does_not_say(
    chunks: list[list[SessionRecord]], limits: Limits
) -> None:
    till = Till(limits=limits)
    for number, record in enumerate(record for chunk in chunks for record in chunk):
        before = state_of(till)
        till.send(record)
        assert state_of(till) in {*TABLE[before][event_of(record)].into, before}
        if number == 2:
            till.decide(void(seen(till)))


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("state", [each for each in STATES if each is not FORGOTTEN])
def test_a_decision_leads_from_every_state_where_the_table_says_and_everywhere_it_says(
    state: State, decision: Event
) -> None:
    cell, reached = TABLE[state][decision], set()
    for before, decide, expected, is_done in DECIDED[state][decision]:
        till = till_of(before)
        assert state_of(till) is state
        written = till.decide(made := decide(seen(till)))
        assert made.verdict.value == decision.value
        assert state_of(till) is expected
        assert (till.refusal is None) is is_done
        if is_done:
            reached.add(expected)
            continue
        assert (expected, written) == (state, [])
        # Refused by the cell, or because the session cannot be billed: nothing else refuses it.
        if not cell.refusal:
            assert cell.into == (COMPLETED,)
            assert till.state is not None
            assert not facts_of(till.state).corrected(made.corrections).are_billable
        if cell.refusal is Refusal.CONFLICT:
            assert till.refusal not in HARMLESS
    assert reached == (set() if cell.refusal else set(cell.into))


@pytest.mark.parametrize(
    ("state", "made"),
    [
        (ACTIVE, Made(RUNNING)),
        (COMPLETED, Made(ENDED)),
        (COMPLETED, Made(STATED)),
        (HELD, Made(CONFLICT)),
        (HELD, Made(NO_START)),
        (VOID, VOIDED),
        (VOID, Made(RUNNING, is_void=True)),
    ],
)
def test_after_the_deadline_those_sessions_are_forgotten_that_the_table_says(
    state: Lifecycle, made: Made
) -> None:
    till = till_of(made)
    assert state_of(till) is state
    assert till.state is not None
    # What never ended is closed by the decision about it.
    decided_us = till.state.updated_us if made.is_void else None
    long_after = till.state.updated_us + 10 * LIMITS.memory_us
    gone = is_forgotten(till.state, decided_us, long_after, LIMITS.memory_us, state)
    assert TABLE[state][Event.DEADLINE].into == ((FORGOTTEN if gone else state),)


def test_what_is_refused_changes_nothing() -> None:
    assert all(cell.into == (state,) for state, _, cell in cells() if cell.refusal)


def test_where_a_record_can_lead_to_several_states_it_is_said_when() -> None:
    assert all(set(cell.into) <= set(WHEN) for _, _, cell in cells() if len(cell.into) > 1)


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
