"""A register of made-up city stations: places, names and equipment are invented."""

from __future__ import annotations

import math
from typing import Any

_CENTRE = (33.776, -84.389)
_TIME_ZONE = "America/New_York"
_METRES_PER_DEGREE = 111_320
_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
_STREETS = ("Acorn", "Brook", "Copper", "Dogwood", "Elder", "Foundry", "Garnet", "Heron")


def _plug(number: int, evse: int, standard: str, power_kw: float) -> dict[str, Any]:
    return {
        "connector_id": number,
        "evse_id": str(evse),
        "standard": standard,
        "max_power_kw": power_kw,
    }


# The kinds of stations, in the order in which they repeat.
_POST = [_plug(1, 1, "IEC_62196_T1", 7.2), _plug(2, 2, "IEC_62196_T1", 7.2)]
_FAST_POST = [_plug(1, 1, "IEC_62196_T1", 19.2), _plug(2, 2, "IEC_62196_T1", 19.2)]
# One power unit behind two plugs: a car at either takes both.
_DUAL = [_plug(1, 1, "IEC_62196_T1_COMBO", 50), _plug(2, 1, "CHADEMO", 50)]
_HUB = [
    _plug(1, 1, "IEC_62196_T1_COMBO", 150),
    _plug(2, 1, "CHADEMO", 100),
    _plug(3, 2, "IEC_62196_T1_COMBO", 150),
]
_KINDS = (_POST, _FAST_POST, _POST, _DUAL, _POST, _HUB)


def city_register(stations: int) -> list[dict[str, Any]]:
    """Return so many stations `CITY-001`, …, four of them to a site; the same for every call."""
    return [_station(number) for number in range(1, stations + 1)]


def _station(number: int) -> dict[str, Any]:
    site = (number + 3) // 4
    # Sites on a spiral around the centre, one every few hundred metres; stations 40 m apart.
    radius, angle = 700 * math.sqrt(site), site * _GOLDEN_ANGLE
    east = radius * math.cos(angle) + 40 * (number % 2)
    north = radius * math.sin(angle) + 40 * (number // 2 % 2)
    return {
        "station_id": f"CITY-{number:03}",
        "name": f"{_STREETS[site % len(_STREETS)]} Street {number}",
        "latitude": round(_CENTRE[0] + north / _METRES_PER_DEGREE, 6),
        "longitude": round(
            _CENTRE[1] + east / _METRES_PER_DEGREE / math.cos(math.radians(_CENTRE[0])), 6
        ),
        "time_zone": _TIME_ZONE,
        "site_id": f"CITY-SITE-{site:02}",
        "connectors": _KINDS[(number - 1) % len(_KINDS)],
    }
