"""A session as the outside sees it: the **Session** of the contract."""

from __future__ import annotations

from typing import Any

import msgspec

from evcharge.domain.billing.account import Facts, facts_of
from evcharge.domain.quantities import MICRO, decimal_text, kw, kwh
from evcharge.domain.session import Lifecycle
from evcharge.web.answers import number, timestamp
from evcharge.web.context import WebContext
from evcharge.web.costs import cost_of
from evcharge.web.state import KeptSession


async def session_json(context: WebContext, kept: KeptSession) -> dict[str, Any]:
    """The members of the contract, in its order; numbers are written exactly from their units."""
    return _members(kept, await cost_of(context, kept))


def _members(kept: KeptSession, cost: msgspec.Raw | None) -> dict[str, Any]:
    session, stands, facts = kept.session, kept.stands, shown_facts(kept)
    return {
        "session_id": session.session_id,
        "station_id": session.station_id,
        "connector_id": session.state.connector_id,
        "user_id": facts.user_id,
        "state": stands.standing.value,
        "started_at": timestamp(facts.started_us),
        "ended_at": timestamp(facts.ended_us),
        "duration_s": number(_duration_us(facts), lambda each: decimal_text(each, MICRO)),
        "energy_kwh": number(facts.energy_uwh, kwh),
        "power_kw": number(session.state.power_mw, kw),
        "cost": cost,
        "held_reasons": [reason.value for reason in stands.reasons],
        "revision": stands.revision,
        "updated_at": timestamp(session.state.updated_us),
    }


def shown_facts(kept: KeptSession) -> Facts:
    """Return what the session is said to be: as a person corrected it, unless it waits for a person."""
    facts, account = facts_of(kept.state), kept.account
    if account is None or kept.stands.standing is not Lifecycle.COMPLETED:
        return facts
    return facts.corrected(account.corrections)


def _duration_us(facts: Facts) -> int | None:
    started_us, ended_us = facts.started_us, facts.ended_us
    if started_us is None or ended_us is None or ended_us < started_us:
        return None
    return ended_us - started_us
