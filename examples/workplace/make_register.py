"""Writes the register of the workplace stations: `python examples/workplace/make_register.py`.

The sessions come without places. The 25 sites are put on a spiral around the centre of Atlanta,
Georgia, and the stations of a site a few metres apart: places and names are made up. So is the
rated power, 7.2 kW as of a common AC post, which is left out where a session needed more.
"""

from __future__ import annotations

import csv
import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CENTRE = (33.749, -84.388)
TIME_ZONE = "America/New_York"
RATED_KW = 7.2
METRES_PER_DEGREE = 111_320
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


def register(sessions: Path) -> list[dict[str, Any]]:
    """Return the stations of the sessions, by site and id; the same for the same file."""
    sites: dict[str, dict[str, float]] = {}
    with sessions.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            strongest = sites.setdefault(row["site_id"], {})
            station = row["station_id"]
            strongest[station] = max(strongest.get(station, 0.0), mean_power_kw(row))
    stations = []
    for site_number, (site_id, strongest) in enumerate(sorted(sites.items()), 1):
        for post_number, (station_id, power_kw) in enumerate(sorted(strongest.items()), 1):
            latitude, longitude = place(site_number, post_number)
            connector: dict[str, Any] = {
                "connector_id": 1,
                "evse_id": "1",
                "standard": "IEC_62196_T1",
            }
            if power_kw <= RATED_KW:
                connector["max_power_kw"] = RATED_KW
            stations.append(
                {
                    "station_id": station_id,
                    "name": f"Workplace {site_number:02}, post {post_number}",
                    "latitude": latitude,
                    "longitude": longitude,
                    "time_zone": TIME_ZONE,
                    "site_id": site_id,
                    "connectors": [connector],
                }
            )
    return stations


def mean_power_kw(row: dict[str, str]) -> float:
    """Energy by time: no station can be rated below its strongest session."""
    plugged_in = datetime.fromisoformat(row["end_time"]) - datetime.fromisoformat(row["start_time"])
    return float(row["energy_kwh"]) * 3600 / plugged_in.total_seconds()


def place(site_number: int, post_number: int) -> tuple[float, float]:
    """Sites within 22 km of the centre, evenly spread; posts in two rows, 6 m apart."""
    radius = 4_400 * math.sqrt(site_number)
    angle = site_number * GOLDEN_ANGLE
    row, bay = (post_number - 1) % 2, (post_number - 1) // 2
    east = radius * math.cos(angle) + 6 * bay
    north = radius * math.sin(angle) + 12 * row
    latitude = CENTRE[0] + north / METRES_PER_DEGREE
    longitude = CENTRE[1] + east / METRES_PER_DEGREE / math.cos(math.radians(CENTRE[0]))
    return round(latitude, 6), round(longitude, 6)


def text(stations: list[dict[str, Any]]) -> str:
    """JSON with a station on each line."""
    return "[\n" + ",\n".join(json.dumps(station) for station in stations) + "\n]\n"


if __name__ == "__main__":
    (HERE / "stations.json").write_text(text(register(HERE / "sessions.csv")), encoding="utf-8")
