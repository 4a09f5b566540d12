"""Whether a session is still what was billed (``changed-after-invoice``)."""

from __future__ import annotations

from typing import NamedTuple

from evcharge.domain.session.state import SessionState


class Billed(NamedTuple):
    """The facts of a session that an invoice states: whose they are, and what the price follows from.

    A value of primitives: it is stored with the session, and read again after any number of releases.
    """

    started_us: int | None
    ended_us: int | None
    energy_uwh: int | None
    user_id: str | None
    connector_id: int


def billed_of(state: SessionState) -> Billed:
    """Return the facts to be billed of a session as it is."""
    return Billed(
        state.started_us, state.ended_us, state.energy_uwh, state.user_id, state.connector_id
    )


def is_changed_after_invoice(billed: Billed, state: SessionState) -> bool:
    """Tell whether a record changed what was billed, so that the session waits for a decision.

    What leaves these facts as they are is no change: a repeat, a late reading, the same end told again.
    It is a function of the set of the records, so a correction back to what was billed takes it away.
    Where only the way to the energy changed (a reading in between, which a price may depend on), the
    cost decides, which pricing compares.
    """
    return billed != billed_of(state)
