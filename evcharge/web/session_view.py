"""A session as the outside sees it: the **Session** of the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from evcharge.domain.quantities import MICRO, decimal_text, format_timestamp, kw, kwh
from evcharge.domain.session import SessionState


def session_json(station_id: str, session_id: str, session: SessionState) -> dict[str, Any]:
    """The members of the contract, in its order; numbers are written exactly from their units."""
    return {
        "session_id": session_id,
        "station_id": station_id,
        "connector_id": session.connector_id,
        "user_id": session.user_id,
        "state": session.state.value,
        "started_at": _timestamp(session.started_us),
        "ended_at": _timestamp(session.ended_us),
        "duration_s": _number(session.duration_us, lambda each: decimal_text(each, MICRO)),
        "energy_kwh": _number(session.energy_uwh, kwh),
        "power_kw": _number(session.power_mw, kw),
        "cost": None,
        "held_reasons": [reason.value for reason in session.held_reasons],
        "revision": session.revision,
        "updated_at": _timestamp(session.updated_us),
    }


def _timestamp(instant_us: int | None) -> str | None:
    return None if instant_us is None else format_timestamp(instant_us)


def _number(amount: int | None, text: Callable[[int], str]) -> msgspec.Raw | None:
    return None if amount is None else msgspec.Raw(text(amount).encode())
