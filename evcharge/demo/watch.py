"""Which stations changed between two looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Change(NamedTuple):
    """A station's status was one thing and is another now."""

    station_id: str
    name: str | None
    before: str
    now: str

    def __str__(self) -> str:
        label = f"{self.station_id} ({self.name})" if self.name else self.station_id
        return f"station {label}: {self.before} -> {self.now}"


class Watch:
    """Remembers the last look."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def look(self, stations: Iterable[dict[str, Any]]) -> list[Change]:
        """Return what changed since the last look, cars that came before everything else."""
        changes = []
        for station in stations:
            station_id, status = station["station_id"], station["status"]
            before = self._last.get(station_id, status)
            # A station's first word is no news.
            if status != before != "unknown":
                changes.append(Change(station_id, station.get("name"), before, status))
            self._last[station_id] = status
        return sorted(changes, key=lambda c: (c.before, c.now) != ("free", "occupied"))
