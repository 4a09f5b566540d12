"""Writes the register of the simulated city: `python examples/city/make_register.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from evcharge.simulation.city import city_register  # noqa: E402 - needs the path

STATIONS = 40


def text() -> str:
    """JSON with a station on each line."""
    stations = city_register(STATIONS)
    return "[\n" + ",\n".join(json.dumps(station) for station in stations) + "\n]\n"


if __name__ == "__main__":
    (HERE / "stations.json").write_text(text(), encoding="utf-8")
