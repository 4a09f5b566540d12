"""A session as the outside sees it: the **Session** of the contract."""

from __future__ import annotations

from typing import Any

from evcharge.domain.quantities import MICRO, decimal_text, kw, kwh
from evcharge.domain.session import SessionState
from evcharge.web.answers import number, timestamp


def session_json(station_id: str, session_id: str, session: SessionState) -> dict[str, Any]:
    """The members of the contract, in its order; numbers are written exactly from their units."""
    return {
        "session_id": session_id,
        "station_id": station_id,
        "connector_id": session.connector_id,
        "user_id": session.user_id,
        "state": session.lifecycle.value,
        "started_at": timestamp(session.started_us),
        "ended_at": timestamp(session.ended_us),
        "duration_s": number(session.duration_us, lambda each: decimal_text(each, MICRO)),
        "energy_kwh": number(session.energy_uwh, kwh),
        "power_kw": number(session.power_mw, kw),
        "cost": None,
        "held_reasons": [reason.value for reason in session.held_reasons],
        "revision": session.revision,
        "updated_at": timestamp(session.updated_us),
    }
