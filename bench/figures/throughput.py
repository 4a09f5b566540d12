"""Throughput of the real job on one core, with 2,000 stations, beside every peer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator

from bench.notice import say
from bench.peers.roster import FAUST, KafkaStreams, quix
from bench.preload import Stream, preload
from bench.programs import Evcharge, Program
from bench.race import Lap, race
from bench.result import Figure, at_least, missing, shown
from bench.scene import Scene
from bench.statistics import Spread, ratios
from evcharge.errors import CommandError

STATIONS = 2_000

GUARANTEES = ("at-least-once", "exactly-once")

RATIOS = {
    "Faust": 40.0,
    "Quix Streams": 3.0,
    "Quix Streams, exactly once": 3.0,
    "Kafka Streams": 1.5,
    "Kafka Streams, exactly once": 2.0,
}
"""How many times each peer's throughput evcharge's must be."""


async def throughput(scene: Scene) -> AsyncIterator[Figure]:
    """Run all of them in turn, several times; those that have no target once."""
    sizes = scene.sizes
    scene.use_both_cores()
    usual = await preload(scene.bootstrap, "usual.", STATIONS, sizes.events)
    fewer = await preload(scene.bootstrap, "fewer.", STATIONS, sizes.quix_events)
    few = await preload(scene.bootstrap, "few.", STATIONS, sizes.faust_events)
    streams = KafkaStreams.compiled(scene.new_directory(), await warm_up(scene))
    scene.stay_on_kafkas_core()

    entrants: list[tuple[Program, Stream]] = [
        (Evcharge(), usual),
        (streams.peer("at-least-once"), usual),
        (streams.peer("exactly-once"), usual),
        (quix("at-least-once"), fewer),
        (quix("exactly-once"), fewer),
        (FAUST, few),
    ]
    once: list[tuple[Program, Stream]] = [
        *(
            (peer(guarantee), usual)
            for peer in (streams.without_records, streams.by_hand)
            for guarantee in GUARANTEES
        ),
    ]
    turns = [*[entrants] * (sizes.repeats - 1), [*entrants, *once]]
    laps: dict[str, list[Lap]] = defaultdict(list)
    for turn in turns:
        for program, stream in turn:
            try:
                laps[program.name].append(await race(scene, program, stream))
            except CommandError as problem:
                # The others go on; who never finished has no figure.
                say(f"{program.name} did not finish: {problem}")
    if not laps["evcharge"]:
        raise CommandError("evcharge did not finish a single run")
    for name in RATIOS:
        if not laps[name]:
            yield missing(f"evcharge / {name}")
    finished = {name: runs for name, runs in laps.items() if runs}
    for figure in (*compared(finished, RATIOS), *_rates(finished)):
        yield figure


async def warm_up(scene: Scene) -> Stream:
    """Return the stream that Kafka Streams works off first."""
    if scene.warm_up is None:
        events = scene.sizes.warm_up_events
        scene.warm_up = await preload(scene.bootstrap, "warm-up.", STATIONS, events)
    return scene.warm_up


def compared(
    laps: dict[str, list[Lap]], targets: dict[str, float], of: str = "evcharge", where: str = ""
) -> list[Figure]:
    """Return how many times faster evcharge is than each peer, by the clock and by CPU time."""
    ours = laps[of]
    figures = []
    for name, theirs in laps.items():
        if name == of:
            continue
        by_clock = ratios([lap.rate for lap in ours], [lap.rate for lap in theirs])
        by_cpu = ratios([lap.cpu_rate for lap in ours], [lap.cpu_rate for lap in theirs])
        figures += [
            at_least(f"evcharge / {name}{where}", by_clock, "x", targets[name])
            if name in targets
            else shown(f"evcharge / {name}{where}", by_clock, "x"),
            shown(f"evcharge / {name}{where}, by CPU time", by_cpu, "x"),
        ]
    return figures


def _rates(laps: dict[str, list[Lap]]) -> list[Figure]:
    figures = []
    for name, runs in laps.items():
        title = f"{name}, {STATIONS:,} stations"
        rate = Spread.of([lap.rate for lap in runs])
        per_cpu = Spread.of([lap.cpu_rate for lap in runs])
        figures += [
            at_least(title, rate, "events/s", 100_000)
            if name == "evcharge"
            else shown(title, rate, "events/s"),
            shown(f"{title}, by CPU time", per_cpu, "events/CPU-s"),
        ]
    return figures
