"""What a worker has to answer (docs/openapi.json), numbers as they are parsed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from evcharge.domain.billing.account import Facts, facts_of
from evcharge.domain.billing.standing import standing_of
from evcharge.domain.quantities import KW, KWH, MICRO, decimal_text, format_timestamp
from evcharge.domain.session import Lifecycle
from evcharge.domain.station_view import StationView
from evcharge.verification.sessions import Known


def station_facts(view: StationView) -> dict[str, Any]:
    """Return what **Station** has to say, without the ages: another moment has others."""
    plugs = [
        {
            "connector_id": plug.connector_id,
            "evse_id": plug.evse_id,
            "status": plug.status.value,
            "since": _time(plug.since_us),
            "error_code": plug.error_code,
            "standard": plug.standard,
            "max_power_kw": _amount(plug.max_power_mw, KW),
            "session_id": plug.session_id,
        }
        for plug in view.connectors
    ]
    return {
        "status": view.status.value,
        "free": view.free,
        "evses": view.evses,
        "updated_at": _time(view.updated_us),
        "connectors": plugs,
    }


def session_facts(station_id: str, session_id: str, known: Known) -> dict[str, Any]:
    """Return what **Session** has to say, but for the cost."""
    state, account = known.state, known.account
    stands = standing_of(state, account)
    facts = facts_of(state)
    if account is not None and stands.standing is Lifecycle.COMPLETED:
        facts = facts.corrected(account.corrections)
    return {
        "session_id": session_id,
        "station_id": station_id,
        "connector_id": state.connector_id,
        "user_id": facts.user_id,
        "state": stands.standing.value,
        "started_at": _time(facts.started_us),
        "ended_at": _time(facts.ended_us),
        "duration_s": _amount(_lasted_us(facts), MICRO),
        "energy_kwh": _amount(facts.energy_uwh, KWH),
        "power_kw": _amount(state.power_mw, KW),
        "held_reasons": [reason.value for reason in stands.reasons],
        "revision": stands.revision,
        "updated_at": _time(state.updated_us),
    }


def _lasted_us(facts: Facts) -> int | None:
    started_us, ended_us = facts.started_us, facts.ended_us
    if started_us is None or ended_us is None or ended_us < started_us:
        return None
    return ended_us - started_us


def _time(instant_us: int | None) -> str | None:
    return None if instant_us is None else format_timestamp(instant_us)


def _amount(amount: int | None, scale: int) -> Decimal | None:
    """Return units as a number that equals the parsed one, whether it has a fraction or not."""
    return None if amount is None else Decimal(decimal_text(amount, scale))
