"""Which bays and plugs the stations of a register have, as far as their devices know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

# Below what any connector is built for, so that a rating nobody stated is not exceeded.
_UNSTATED_KW = 3.6


@dataclass(frozen=True, slots=True)
class Plug:
    """One connector."""

    connector_id: int
    rated_w: float
    direct_current: bool


@dataclass(frozen=True, slots=True)
class BayPlan:
    """One EVSE: its plugs exclude each other."""

    station_id: str
    time_zone: ZoneInfo
    plugs: tuple[Plug, ...]


def bay_plans(register: Any) -> list[BayPlan]:
    """Read a register in the format of the `stations` topic, as a list.

    Raises:
        ValueError: it is none; says where.
    """
    if not isinstance(register, list) or not register:
        raise ValueError("expected a JSON array of stations")
    plans = []
    for number, station in enumerate(register, 1):
        try:
            plans += _station(station)
        except (KeyError, TypeError, ValueError, AttributeError, OSError):
            raise ValueError(
                f"station {number} lacks a station_id, or names a time zone or connectors"
                " that cannot be read"
            ) from None
    return plans


def _station(station: dict[str, Any]) -> list[BayPlan]:
    bays: dict[str, list[Plug]] = {}
    for connector in station.get("connectors") or [{"connector_id": 1}]:
        number = int(connector["connector_id"])
        standard = str(connector.get("standard") or "")
        plug = Plug(
            connector_id=number,
            rated_w=float(connector.get("max_power_kw") or _UNSTATED_KW) * 1000,
            direct_current="COMBO" in standard or standard == "CHADEMO",
        )
        bays.setdefault(str(connector.get("evse_id") or f"connector {number}"), []).append(plug)
    zone = ZoneInfo(station.get("time_zone") or "UTC")
    return [BayPlan(str(station["station_id"]), zone, tuple(plugs)) for plugs in bays.values()]
