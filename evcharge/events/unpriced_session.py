"""Writes the record of `sealed-sessions` of a session that is not billed: what it used, no price."""

from __future__ import annotations

from evcharge.domain.billing.account import facts_of
from evcharge.domain.session import Completion, Lifecycle
from evcharge.events.sealed_session import head


def encode_unpriced(station_id: str, session_id: str, completion: Completion) -> bytes:
    """Write the record; equal sessions give equal bytes.

    Its members are those of a bill (``sealed_session.py``), in that order; null is what follows from a
    price.
    """
    state, completed_us = completion
    used = head(
        station_id, session_id, 1, Lifecycle.COMPLETED, state, facts_of(state), completed_us
    )
    return used + b'null,"terms":null,"cost":null,"evidence":null,"decision":null}'
