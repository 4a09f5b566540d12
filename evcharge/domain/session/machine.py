"""The state machine of a session as data: states x events, every cell decided.

Neither records nor decisions drive it one after the other: a session is the fold of its records and of
what was billed and decided (``billing/settle.py``). The table says what an event *can* make of it:
``tests/domain/test_session_machine.py`` has the real rules go every way that a cell has, and no other.
The deadline is looked up here. ``docs/sessions.md`` is generated from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from evcharge.domain.session.state import Lifecycle, SessionState

ACTIVE, COMPLETED, HELD, VOID = Lifecycle


class Absent(StrEnum):
    """What a session can be besides the contract's states: there is nothing to show of it."""

    UNKNOWN = "unknown"
    """No record of it has arrived."""
    FORGOTTEN = "forgotten"
    """A marker of its id is all that is left (``forgetting.py``)."""


State: TypeAlias = Lifecycle | Absent
UNKNOWN, FORGOTTEN = Absent
STATES: tuple[State, ...] = (UNKNOWN, *Lifecycle, FORGOTTEN)


class Event(StrEnum):
    """What can happen to a session."""

    START = "start"
    UPDATE = "update"
    END = "end"
    CORRECTION = "correction"
    CLOSED = "closed session"
    APPROVE = "approve"
    CORRECT = "correct"
    VOID = "void"
    DEADLINE = "deadline"
    """So much time since it was closed that it is replaced by a marker."""


RECORDS = (Event.START, Event.UPDATE, Event.END, Event.CORRECTION, Event.CLOSED)
DECISIONS = (Event.APPROVE, Event.CORRECT, Event.VOID)


class Refusal(StrEnum):
    """What becomes of an event that a session in this state does not take up."""

    NONE = ""
    TOO_LATE = "dead letter too-late"
    CONFLICT = "409"
    """HTTP refuses the decision; if it is in the log all the same, it changes nothing."""
    NOT_FOUND = "404"
    """HTTP knows no such session; a decision that is in the log all the same waits for its records or,
    if the session was forgotten, is a dead letter ``too-late``."""


class Cell(NamedTuple):
    """What an event can make of a session in a state."""

    into: tuple[State, ...]
    """Where it can lead; which of them, :data:`WHEN` tells."""
    refusal: Refusal = Refusal.NONE
    """If not none, nothing changes: ``into`` is the state itself."""


WHEN: Mapping[State, str] = {
    ACTIVE: "no end is known",
    COMPLETED: "ended, and nothing holds it",
    HELD: "a reason holds it",
    VOID: "it was made so, and nothing else is known than when that was decided",
}
"""Which of several states a record leads to."""

BILLABLE = "start, end and energy are known and in order"
"""What a decision needs to complete a session; without it, it is refused."""


def _stays(state: State, refusal: Refusal = Refusal.NONE) -> Cell:
    return Cell((state,), refusal)


_RUNS = Cell((ACTIVE, HELD))
_ENDS = Cell((COMPLETED, HELD))
_EVIDENCE = Cell((VOID, HELD))

TABLE: Mapping[State, Mapping[Event, Cell]] = {
    UNKNOWN: {
        Event.START: Cell((ACTIVE,)),
        Event.UPDATE: Cell((ACTIVE,)),
        Event.END: _ENDS,
        Event.CORRECTION: _ENDS,
        Event.CLOSED: _ENDS,
        **dict.fromkeys(DECISIONS, _stays(UNKNOWN, Refusal.NOT_FOUND)),
        Event.DEADLINE: _stays(UNKNOWN),
    },
    ACTIVE: {
        Event.START: _RUNS,
        Event.UPDATE: _RUNS,
        Event.END: _ENDS,
        Event.CORRECTION: _ENDS,
        Event.CLOSED: _ENDS,
        Event.APPROVE: _stays(ACTIVE, Refusal.CONFLICT),  # it has no end that could be billed
        Event.CORRECT: Cell((COMPLETED,)),  # an end that never came can be given
        Event.VOID: Cell((VOID,)),
        Event.DEADLINE: _stays(ACTIVE),  # it was never closed
    },
    COMPLETED: {
        **dict.fromkeys(RECORDS, _ENDS),
        Event.APPROVE: _stays(COMPLETED),
        Event.CORRECT: Cell((COMPLETED,)),
        Event.VOID: Cell((VOID,)),
        Event.DEADLINE: Cell((FORGOTTEN,)),
    },
    HELD: {
        **dict.fromkeys(RECORDS, _ENDS),
        Event.APPROVE: Cell((COMPLETED,)),
        Event.CORRECT: Cell((COMPLETED,)),
        Event.VOID: Cell((VOID,)),
        Event.DEADLINE: _stays(HELD),  # it waits for a person
    },
    VOID: {
        **dict.fromkeys(
            RECORDS, _EVIDENCE
        ),  # a person has decided; of something else, if it differs
        Event.APPROVE: Cell((COMPLETED,)),
        Event.CORRECT: Cell((COMPLETED,)),
        Event.VOID: _stays(VOID),
        Event.DEADLINE: Cell((FORGOTTEN,)),
    },
    FORGOTTEN: {
        **dict.fromkeys(RECORDS, _stays(FORGOTTEN, Refusal.TOO_LATE)),
        **dict.fromkeys(DECISIONS, _stays(FORGOTTEN, Refusal.NOT_FOUND)),
        Event.DEADLINE: _stays(FORGOTTEN),
    },
}


def cells() -> Iterator[tuple[State, Event, Cell]]:
    """Yield every cell of the table."""
    for state in STATES:
        for event in Event:
            yield state, event, TABLE[state][event]


def lifecycle_of(
    state: SessionState, besides: int = 0, *, accepted: int = 0, settled: Lifecycle | None = None
) -> Lifecycle:
    """Return the state of a session that is not forgotten.

    ``state`` is the fold of its records; ``besides`` are the bits of the reasons that are not the fold's
    (:class:`~evcharge.domain.session.held.Basis`), ``accepted`` those of the reasons that a decision
    settled; ``settled`` is what the session is if nothing holds it, because it was billed or decided
    about: completed or void.
    """
    if settled is not None:
        return HELD if state.reasons & ~accepted | besides else settled
    lifecycle = state.lifecycle
    return HELD if besides and lifecycle is COMPLETED else lifecycle


def is_forgotten_by_deadline(state: State) -> bool:
    """Whether a session in this state is replaced by a marker when its time has come."""
    return TABLE[state][Event.DEADLINE].into == (FORGOTTEN,)
