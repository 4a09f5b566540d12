"""Writes the record of `sealed-sessions` of a session that is not billed: what it used, no price."""

from __future__ import annotations

from evcharge.domain.quantities import MICRO, decimal_text, kwh, recent_timestamp
from evcharge.domain.session import Completion
from evcharge.events.sealed_session import VERSION


def encode_unpriced(station_id: str, session_id: str, completion: Completion) -> bytes:
    """Write the record; equal sessions give equal bytes.

    Its members are those of a bill (``sealed_session.py``), in that order; null is what follows from a
    price.
    """
    state, completed_us = completion
    assert state.started_us is not None, "completed"
    assert state.ended_us is not None, "completed"
    assert state.energy_uwh is not None, "completed"
    user = "null" if state.user_id is None else f'"{state.user_id}"'
    # Ids, decimals and timestamps have no character that JSON would escape.
    return (
        f'{{"v":{VERSION},"session_id":"{session_id}","station_id":"{station_id}",'
        f'"bill":1,"state":"completed","connector_id":{state.connector_id},'
        f'"user_id":{user},"started_at":"{recent_timestamp(state.started_us)}",'
        f'"ended_at":"{recent_timestamp(state.ended_us)}",'
        f'"duration_s":{decimal_text(state.ended_us - state.started_us, MICRO)},'
        f'"energy_kwh":"{kwh(state.energy_uwh)}",'
        f'"meter_start_kwh":{_kwh(state.meter_start_uwh)},'
        f'"meter_end_kwh":{_kwh(state.meter_end_uwh)},'
        f'"completed_at":"{recent_timestamp(completed_us)}","revision":{state.revision},'
        '"segments":null,"terms":null,"cost":null,"evidence":null,"decision":null}'
    ).encode()


def _kwh(energy_uwh: int | None) -> str:
    return "null" if energy_uwh is None else f'"{kwh(energy_uwh)}"'
