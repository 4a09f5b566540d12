"""What the topics tell of a session, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.decision import Decision
from evcharge.domain.session import SessionState
from evcharge.domain.session_record import SessionRecord
from evcharge.events.rejection import Rejected
from evcharge.verification.papers import Papers


class Log(NamedTuple):
    """What the topics tell of a session."""

    station_id: str
    session_id: str
    records: Sequence[SessionRecord]
    """In the order of arrival; repeats may be left out."""
    came: int
    """How many records came, repeats among them."""
    decisions: Sequence[Decision]
    papers: Papers
    declined: Mapping[int, Rejected]
    """Numbers of the decisions that have a dead letter, and what it says."""
    late: frozenset[int] | None
    """Numbers of the records that have a dead letter ``too-late``; None: it does not count."""
    kept: Sequence[SessionRecord]
    """Those that the table has."""
    forgotten_us: int | None = None
    """Of a session whose place a marker has taken: the latest time that can have been too late then."""
    are_rerouted: bool = False
    """Whether any session's records were: then the clock of a record need not be that of its topic."""
    other: Sequence[SessionRecord] | None = None
    """The records in another order in which they can have arrived too: there were too many of them."""


class Ended(NamedTuple):
    """Where a course led to."""

    state: SessionState
    """Of the records that were not refused; EMPTY: there are none."""
    account: Account | None
    completed_us: int | None
    refused: frozenset[int]
    """Numbers of the records that came too late."""
    declined: tuple[tuple[int, Rejected], ...]
    """Numbers of the decisions that cannot be carried out, and why."""
    unpriced: bool
    """Whether it was sealed while billing was switched off."""
