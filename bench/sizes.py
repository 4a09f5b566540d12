"""How large everything is: as `make bench` runs by default, within 25 minutes, and in full."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Numbers of events, repeats and seconds."""

    repeats: int = 5
    events: int = 1_200_000
    """Of the throughput comparison, for the program and Kafka Streams."""
    quix_events: int = 300_000
    faust_events: int = 30_000


DEFAULT = Sizes()
FULL = Sizes()
