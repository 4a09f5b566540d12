"""The operator's register as the topic ``stations`` holds it: the last version of each station."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from evcharge.domain.station_register import RegisteredStation
from evcharge.events.rejection import Rejected
from evcharge.events.stations import parse_station


def take_up(register: dict[str, RegisteredStation], records: Iterable[Any]) -> None:
    """Apply the next records; one that cannot be used changes nothing."""
    for record in records:
        if record.value is None:
            register.pop((record.key or b"").decode(errors="replace"), None)
            continue
        station = parse_station(record.value)
        if isinstance(station, Rejected) or (
            record.key is not None and record.key != station.station_id.encode()
        ):
            continue
        register[station.station_id] = station.registered()
