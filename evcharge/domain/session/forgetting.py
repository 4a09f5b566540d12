"""When a session is forgotten: its row makes room for a marker of its id.

Contract, *Sessions*: "100 days after the ingest of the record that closed a session, its row is
replaced by a small marker of its id, and only a record that meets such a marker is a dead letter
``too-late``."

A record is too late by its own ingest time, which is in the log. So it makes no difference when the rows
are really replaced, how the log was cut into chunks, or that it is read again from its beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

from evcharge.domain.quantities import DAY_US
from evcharge.domain.session.machine import is_forgotten_by_deadline
from evcharge.domain.session.state import Lifecycle, SessionState
from evcharge.domain.session_record import SessionRecord

GRACE_US = DAY_US
"""Microseconds for which a forgotten session's rows stay: a forwarded record keeps its first ingest
time, and one that was in time must not depend on how soon the rows went."""


def deadline_us(state: SessionState, completed_us: int | None, memory_us: int) -> int | None:
    """Return from which ingest time on a record of a closed session is too late, None if it is open.

    ``completed_us`` is the ingest time of what completed the session or led to its last bill, if that
    came after its end: the record that was missing, or a decision. The time that a person took is not
    taken from the session. Whose end never came is closed by the decision alone.
    """
    if state.closed_ingest_us is None:
        return None if completed_us is None else completed_us + memory_us
    return max(state.closed_ingest_us, completed_us or 0) + memory_us


def is_forgotten(
    state: SessionState,
    completed_us: int | None,
    now_us: int,
    memory_us: int,
    lifecycle: Lifecycle | None = None,
) -> bool:
    """Tell whether a session is forgotten at an ingest time.

    ``lifecycle`` is what it is by more than its records, None if it is what these say. One that is held
    waits for a person, however long that takes.
    """
    deadline = deadline_us(state, completed_us, memory_us)
    return (
        deadline is not None
        and now_us >= deadline
        and is_forgotten_by_deadline(state.lifecycle if lifecycle is None else lifecycle)
    )


def may_be_too_late(
    before: SessionState | None,
    records: Sequence[SessionRecord],
    after: SessionState,
    memory_us: int,
    completed_us: int | None = None,
) -> bool:
    """Tell whether any of the records that made ``after`` of ``before`` can have come too late.

    ``completed_us``: as for :func:`deadline_us`.

    A quick no for nearly all; if it is yes, they have to be taken up one by one, each with
    :func:`is_forgotten` of what the session is then, at its ingest.
    """
    if completed_us is not None:
        # The deadline is not sooner than that.
        return any(record.ingest_us >= completed_us + memory_us for record in records)
    if after.ended_us is None:
        return False
    # Any deadline is that much later than an end, which is one of these or closed the session before.
    # A repeat's own ingest is nowhere in ``after``, so it is asked of the records.
    ingests = [record.ingest_us for record in records]
    first_us = min(ingests)
    if before is not None and before.closed_ingest_us is not None:
        first_us = min(first_us, before.closed_ingest_us)
    return max(ingests) - first_us >= memory_us
