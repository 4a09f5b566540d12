"""A person who reviews sessions, at random: what was decided was often about something else by then."""

from __future__ import annotations

import json
import random
from typing import Any

VERDICTS = ("approve", "approve", "approve", "correct", "correct", "void", "rerate")

_OTHER_TARIFF = {
    "id": "AGAIN",
    "currency": "EUR",
    "last_updated": "2023-06-01T00:00:00Z",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "0.25", "step_size": 1}]}],
}


class Reviewer:
    """Decides about sessions; every choice comes from ``chance``."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._made = 0
        self._about: dict[tuple[str, str], int] = {}

    def decide(self, station_id: str, session_id: str, records: int, at: str) -> dict[str, Any]:
        """Return a decision about a session of which so many records were sent."""
        chance = self._chance
        known = self._about.get((station_id, session_id), 0)
        self._about[station_id, session_id] = known + 1
        # Some are sent again under their id.
        self._made += chance.random() < 0.95
        verdict = chance.choice(VERDICTS)
        decision: dict[str, Any] = {
            "v": 1,
            "decision_id": f"D{self._made}",
            "station_id": station_id,
            "session_id": session_id,
            "decision": verdict,
            "actor": chance.choice(["anna", "rerate"]),
            "decided_at": at,
            # Of some records that have not come yet, too.
            "revision": max(1, records + chance.choice([0, 0, 0, -1, 1])),
        }
        if chance.random() < 0.7:
            decision["decisions"] = known if chance.random() < 0.8 else known + 1
        if verdict == "correct":
            decision["energy_kwh"] = json.loads(chance.choice(["1.5", "20", "0"]))
            if chance.random() < 0.3:
                decision["user_id"] = "U9"
        if verdict == "rerate":
            decision["tariff"] = _OTHER_TARIFF
        return decision
