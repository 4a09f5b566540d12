"""What billing costs: the real job where every session is invoiced, beside the same without billing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaProducer

from bench.events import station_id
from bench.preload import Stream, preload
from bench.programs import Evcharge
from bench.race import Lap, race
from bench.result import Figure, at_least, shown
from bench.scene import Scene
from bench.statistics import Spread, ratios

STATIONS = 2_000
LEAST = 0.8

TARIFF = {
    "id": "T1",
    "currency": "EUR",
    "last_updated": "2023-01-01T00:00:00Z",
    "elements": [
        {
            "price_components": [
                {"type": "ENERGY", "price": "0.35", "vat": 20, "step_size": 1},
                {"type": "TIME", "price": "1.20", "vat": 20, "step_size": 60},
            ]
        }
    ],
}
"""One element; every session of the mix has a user and costs something, so each is invoiced."""

OFF = Evcharge("evcharge, billing off")
FREE = Evcharge("evcharge, free of charge", billing=True)
BILLED = Evcharge("evcharge, invoiced", billing=True)


async def billing(scene: Scene) -> AsyncIterator[Figure]:
    """Run all three in turn, several times; the first and the last over the same stream."""
    scene.use_both_cores()
    free = await preload(scene.bootstrap, "free.", STATIONS, scene.sizes.billing_events)
    billed = await preload(scene.bootstrap, "billed.", STATIONS, scene.sizes.billing_events)
    await register(billed)
    scene.stay_on_kafkas_core()
    entrants = ((OFF, billed), (FREE, free), (BILLED, billed))
    laps: dict[str, list[Lap]] = {program.name: [] for program, _ in entrants}
    for _ in range(scene.sizes.billing_repeats):
        for program, stream in entrants:
            laps[program.name].append(await race(scene, program, stream))
    clock = {name: [lap.rate for lap in runs] for name, runs in laps.items()}
    cpu = {name: [lap.cpu_rate for lap in runs] for name, runs in laps.items()}
    off, title = OFF.name, "invoiced / billing off"
    yield at_least(title, ratios(clock[BILLED.name], clock[off]), "x", LEAST)
    yield shown(f"{title}, by CPU time", ratios(cpu[BILLED.name], cpu[off]), "x")
    title = "free of charge / billing off"
    yield shown(title, ratios(clock[FREE.name], clock[off]), "x")
    yield shown(f"{title}, by CPU time", ratios(cpu[FREE.name], cpu[off]), "x")
    for name, rates in clock.items():
        yield shown(name, Spread.of(rates), "events/s")


async def register(stream: Stream) -> None:
    """Publish the tariff, and every station with it. No power is stated: the mix heeds none."""
    async with AIOKafkaProducer(bootstrap_servers=stream.bootstrap) as producer:
        tariff_id = str(TARIFF["id"])
        await producer.send(f"{stream.prefix}tariffs", _json(TARIFF), tariff_id.encode())
        for number in range(stream.stations):
            station = {
                "station_id": station_id(number),
                "time_zone": "Europe/Paris",
                "tariff_id": tariff_id,
                "connectors": [{"connector_id": 1}],
            }
            key = station_id(number).encode()
            await producer.send(f"{stream.prefix}stations", _json(station), key)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
