"""What a set of records means: the reference that every other way to compute a session must equal."""

from __future__ import annotations

from collections.abc import Iterable

from evcharge.domain.session.flood import flooded
from evcharge.domain.session.limits import Limits
from evcharge.domain.session.order import distinct, in_order
from evcharge.domain.session.reduce import reduce
from evcharge.domain.session.state import SessionState
from evcharge.domain.session_record import SessionRecord


def fold(records: Iterable[SessionRecord], limits: Limits) -> SessionState:
    """Return the state of one session's records, in whatever order and however often each is given.

    Raises:
        ValueError: there is no record.
    """
    kept = distinct(records)
    if not kept:
        raise ValueError("a session has at least one record")
    if len(kept) > limits.max_readings:
        return flooded(kept.values(), limits)
    return reduce(in_order(kept.values()), limits)
