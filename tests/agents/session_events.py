"""Events of one session of one station, as its device sends them from 10:00 on."""

from __future__ import annotations

from typing import Any

SESSION = {"session_id": "S1", "station_id": "EV-001"}


def event(kind: str, minute: int, **more: Any) -> dict[str, Any]:
    """Return a `start`, `update` or `end` in a minute of that hour."""
    return {
        **SESSION,
        "event": f"session_{kind}",
        "timestamp": f"2023-05-01T10:{minute:02}:00Z",
        **more,
    }


START = event("start", 0, connector_id=2, user_id="U1")
END = event("end", 30, energy_kwh=5.25)
