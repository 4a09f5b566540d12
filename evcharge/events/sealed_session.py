"""The record of the topic `sealed-sessions`: a session as it was when it first was completed."""

from typing import Any, Literal

import msgspec
from pydantic import TypeAdapter, with_config
from typing_extensions import TypedDict

from evcharge.domain.quantities import MICRO, decimal_text, format_timestamp, kwh
from evcharge.domain.session import Completion
from evcharge.events.fields import STRICT, Connector, DurationS, Id, Timestamp

VERSION = 1


@with_config(STRICT)
class SealedSession(TypedDict):
    """A completed session. Written once; what is learnt of the session afterwards does not change it."""

    v: Literal[1]
    session_id: Id
    station_id: Id
    connector_id: Connector
    user_id: Id | None
    started_at: Timestamp
    ended_at: Timestamp
    duration_s: DurationS
    """Seconds, with as many decimals as the device's timestamps."""
    energy_kwh: str
    """Kilowatt-hours, an exact decimal."""
    meter_start_kwh: str | None
    """The meter's register at the start, an exact decimal; null unless the registers account for the
    energy exactly."""
    meter_end_kwh: str | None
    """The meter's register at the end."""
    completed_at: Timestamp
    """Ingest time of the record that completed the session: its end, or what had been missing."""
    revision: int
    """How many different records of the session were known then."""


MODEL: TypeAdapter[SealedSession] = TypeAdapter(SealedSession)

_encode = msgspec.json.Encoder().encode


def encode_sealed_session(station_id: str, session_id: str, completion: Completion) -> bytes:
    """Write the record; equal sessions give equal bytes.

    Raises:
        ValueError: the session is not completed.
    """
    state, completed_us = completion
    if (
        state.started_us is None
        or state.ended_us is None
        or state.duration_us is None
        or state.energy_uwh is None
    ):
        raise ValueError("only a completed session can be sealed")
    return _encode(
        {
            "v": VERSION,
            "session_id": session_id,
            "station_id": station_id,
            "connector_id": state.connector_id,
            "user_id": state.user_id,
            "started_at": format_timestamp(state.started_us),
            "ended_at": format_timestamp(state.ended_us),
            # As text first: a float would round some durations.
            "duration_s": msgspec.Raw(decimal_text(state.duration_us, MICRO).encode()),
            "energy_kwh": kwh(state.energy_uwh),
            "meter_start_kwh": _kwh(state.meter_start_uwh),
            "meter_end_kwh": _kwh(state.meter_end_uwh),
            "completed_at": format_timestamp(completed_us),
            "revision": state.revision,
        }
    )


def _kwh(energy_uwh: int | None) -> str | None:
    return None if energy_uwh is None else kwh(energy_uwh)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the record."""
    return MODEL.json_schema()
