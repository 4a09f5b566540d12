"""How large everything is: `make bench` takes half an hour, `BENCH_FULL=1` as long as it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Numbers of events, stations, repeats and seconds."""

    repeats: int = 5
    """Of the throughput comparison."""
    events: int = 1_200_000
    """Of a run of evcharge and of Kafka Streams, in the throughput comparison."""
    quix_events: int = 300_000
    faust_events: int = 20_000
    warm_up_events: int = 300_000
    """What Kafka Streams works off first, so that its code is compiled."""
    fleets: tuple[tuple[int, int], ...] = ((20_000, 1), (1_000_000, 3))
    """Stations, and how often it is measured: with more of them one lap is too noisy to tell."""
    fleet_events: int = 400_000
    """Of a part of the mix, behind the fill of each fleet: each repeat has one."""
    large_fleet: int = 1_000_000
    """Stations of the figures about much state."""
    latency_s: float = 20.0
    busy_latency_repeats: int = 3
    """Of the latency at the high rate, at which both cores are busy: one alone is too noisy to tell."""
    takeovers: int = 2
    workers_events: int = 1_200_000
    workers_repeats: int = 3
    billing_events: int = 600_000
    billing_repeats: int = 3
    sealed_sessions: int = 50_000
    """That are re-rated."""


DEFAULT = Sizes()
FULL = Sizes(
    events=3_000_000,
    quix_events=1_200_000,
    faust_events=100_000,
    fleet_events=1_000_000,
    latency_s=60.0,
    takeovers=5,
    workers_events=2_000_000,
    billing_events=1_200_000,
    billing_repeats=5,
    sealed_sessions=250_000,
)
