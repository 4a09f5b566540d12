"""The lines at the end of the demo, from what the worker's tables say."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_TOP_SITES = 3


@dataclass(slots=True)
class Tally:
    """Sessions counted together."""

    sessions: int = 0
    completed: int = 0
    held: int = 0
    energy_kwh: Decimal = field(default_factory=Decimal)

    def add(self, session: Mapping[str, Any]) -> None:
        """Count one session as the worker shows it."""
        self.sessions += 1
        self.completed += session["state"] == "completed"
        self.held += session["state"] == "held"
        self.energy_kwh += Decimal(session["energy_kwh"] or 0)


def summary(
    stations: Iterable[Mapping[str, Any]],
    sessions: Mapping[str, Iterable[Mapping[str, Any]]],
    replayed_sites: Collection[str],
) -> list[str]:
    """Return the lines; the last one is JSON of the sessions at the replayed sites only.

    `sessions` are those of each station_id, `stations` give their sites and their statuses.
    """
    sites: dict[str, Tally] = {}
    replayed, live = Tally(), Tally()
    statuses: Counter[str] = Counter()
    for station in stations:
        statuses[station["status"]] += 1
        site_id = station["site_id"]
        is_replayed = site_id in replayed_sites
        for session in sessions.get(station["station_id"], ()):
            if is_replayed:
                replayed.add(session)
                sites.setdefault(site_id, Tally()).add(session)
            else:
                live.add(session)
    top = sorted(sites.items(), key=lambda item: (-item[1].energy_kwh, item[0]))[:_TOP_SITES]
    return [
        f"Replayed sessions: {_words(replayed)}",
        *(f"  site {site_id}: {_words(tally)}" for site_id, tally in top),
        f"Live fleet: {_words(live)}",
        f"Stations: {_statuses(statuses)}",
        json.dumps(
            {
                "sessions": replayed.sessions,
                "completed": replayed.completed,
                "energy_kwh": kwh(replayed.energy_kwh),
            },
            separators=(",", ":"),
        ),
    ]


def kwh(energy: Decimal) -> str:
    """Write an energy exactly, with two decimals or as many as it has."""
    text = f"{energy:f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def _words(tally: Tally) -> str:
    held = f", {tally.held:,} held" if tally.held else ""
    return (
        f"{tally.sessions:,} sessions, {tally.completed:,} completed{held},"
        f" {tally.energy_kwh:,.2f} kWh"
    )


def _statuses(statuses: Counter[str]) -> str:
    counted = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    return f"{statuses.total()} known, {counted}" if counted else "none"
