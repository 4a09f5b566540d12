"""What a Python peer does with one event: validate, keep the station's word, assemble the session.

The validation is evcharge's own: the pydantic models of its topics and its reading of timestamps. An
event that is not valid raises, which ends the peer: the benchmark's stream has none.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from evcharge.domain.quantities import parse_timestamp
from evcharge.events import charging_sessions, station_status

State = dict[str, Any]
"""JSON, as both peers keep their tables by default."""


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read what every peer is told about its job."""
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "prefix", "group", "output", "directory", "guarantee"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args(given)


def read_status(value: bytes) -> State:
    """Return a status event; raises if it is not valid."""
    event: Any = station_status.MODEL.validate_json(value)
    event["at_us"] = parse_timestamp(event["timestamp"])
    return event  # type: ignore[no-any-return]


def read_session_event(value: bytes) -> State:
    """Return a session's event; raises if it is not valid."""
    event: Any = charging_sessions.ANY.validate_json(value)
    event["at_us"] = parse_timestamp(event["timestamp"])
    return event  # type: ignore[no-any-return]


def advance_station(before: State | None, event: State) -> State | None:
    """Return the last word of each connector; None if the event is older than what is known."""
    connector = str(event.get("connector_id") or 1)
    words = before or {}
    known = words.get(connector)
    if known is not None and known[1] > event["at_us"]:
        return None
    return {**words, connector: [event["status"], event["at_us"], event.get("error_code")]}


def session_key(event: State) -> str:
    """Return a session's key: device counters collide across stations."""
    return f"{event['station_id']}/{event['session_id']}"


def record_key(event: State, after: State) -> str:
    """Return where a session's record is kept, the session after it given: those of one are together."""
    return f"{session_key(event)}/{after['records']}"


def advance_session(before: State | None, event: State) -> tuple[State, bytes | None]:
    """Return the session after an event, and the output if the event ended it."""
    after: State = dict(before) if before else {"records": 0, "energy_kwh": None}
    after["records"] += 1
    kind, at_us = event["event"], event["at_us"]
    if kind == "session_start" or "started_us" not in after:
        after["started_us"] = at_us
    for name in ("connector_id", "user_id", "power_kw", "soc_percent"):
        if event.get(name) is not None:
            after[name] = event[name]
    if event.get("energy_kwh") is not None:
        if after["energy_kwh"] is not None and event["energy_kwh"] < after["energy_kwh"]:
            after["held"] = "energy-decreased"
        after["energy_kwh"] = event["energy_kwh"]
    after["updated_us"] = at_us
    if kind != "session_end" or "ended_us" in after:
        return after, None
    after["ended_us"] = at_us
    return after, json.dumps(
        {"v": 1, "station_id": event["station_id"], "session_id": event["session_id"], **after},
        separators=(",", ":"),
    ).encode()
