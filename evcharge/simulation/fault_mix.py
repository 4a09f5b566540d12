"""How often faults strike, and which stations have lasting ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from evcharge.simulation import faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evcharge.simulation.delivery import Delivery

Fault = Callable[["Delivery", random.Random], "list[Delivery]"]

_LASTING_SHARE = 0.05
_SILENT_AFTER_US = 20_000_000

_NAMES = (
    *("duplicate", "late", "out_of_order", "lost_end", "zero_register", "meter_reset"),
    *("skewed_clock", "silent_station", "foreign_partitioner", "no_key", "junk"),
)


class FaultMix:
    """Takes deliveries as they are sent and gives them as they arrive.

    Some stations have a lasting fault: a twentieth of them each (a tenth hash with CRC32), at least
    one if there are enough.
    The others strike a record at a time. `struck` counts the records that each fault changed,
    added or took away.
    """

    def __init__(self, station_ids: Sequence[str], *, seed: int, start_us: int) -> None:
        self.struck: Counter[str] = Counter(dict.fromkeys(_NAMES, 0))
        self._random = random.Random(f"faults {seed}")
        self._silent_from_us = start_us + _SILENT_AFTER_US
        self._reset_at_kwh: dict[tuple[str, int], float] = {}
        self._under_way: list[tuple[int, int, Delivery]] = []
        self._taken = 0
        ids = sorted(set(station_ids))
        self._random.shuffle(ids)
        share = max(1, round(_LASTING_SHARE * len(ids)))
        self._skewed = {
            station: faults.CLOCK_ERRORS_S[number % len(faults.CLOCK_ERRORS_S)]
            for number, station in enumerate(ids[:share])
        }
        self._silent = set(ids[share : 2 * share])
        self._keyless = set(ids[2 * share : 3 * share])
        # Twice as many: CRC32 sends some keys by chance where they belong.
        self._foreign = set(ids[3 * share : 5 * share])

    def arrive(self, sent: Iterable[Delivery], now_us: int) -> list[Delivery]:
        """Take what was sent, return what has arrived by now, in the order of arrival."""
        for delivery in sent:
            for struck in self._strike(delivery):
                self._taken += 1
                heappush(self._under_way, (struck.due_us, self._taken, struck))
        arrived = []
        while self._under_way and self._under_way[0][0] <= now_us:
            arrived.append(heappop(self._under_way)[2])
        return arrived

    def rest(self) -> list[Delivery]:
        """Return what is still under way, as if it arrived now."""
        rest = [delivery for _, _, delivery in sorted(self._under_way)]
        self._under_way.clear()
        return rest

    def _strike(self, delivery: Delivery) -> list[Delivery]:
        station = delivery.station_id
        if station in self._silent and delivery.due_us >= self._silent_from_us:
            return self._apply(faults.silent_station, [delivery])
        kind = delivery.event.get("event")
        struck = [delivery]
        if "meter_kwh" in delivery.event:
            struck = self._strike_meter(delivery)
        if kind == "session_end" and self._happens(0.03):
            return self._apply(faults.lost_end, struck)
        if station in self._skewed:
            error_s = self._skewed[station]
            self.struck["skewed_clock"] += len(struck)
            struck = [one for s in struck for one in faults.skewed_clock(s, error_s)]
        if station in self._foreign:
            struck = self._apply(faults.foreign_partitioner, struck)
        if station in self._keyless:
            struck = self._apply(faults.no_key, struck)
        if self._happens(0.02):
            struck = self._apply(faults.out_of_order, struck)
        elif self._happens(0.01):
            struck = self._apply(faults.late, struck)
        if self._happens(0.02):
            struck = self._apply(faults.duplicate, struck)
        if self._happens(0.003):
            struck = self._apply(faults.junk, struck)
        return struck

    def _strike_meter(self, delivery: Delivery) -> list[Delivery]:
        event = delivery.event
        meter = (delivery.station_id, event["connector_id"])
        if event["event"] == "session_start":
            if self._happens(0.1):
                return self._apply(faults.zero_register, [delivery])
        elif event["seq"] == 1 and self._happens(0.05):
            self._reset_at_kwh[meter] = event["meter_kwh"]
        if meter not in self._reset_at_kwh:
            return [delivery]
        self.struck["meter_reset"] += 1
        return faults.meter_reset(delivery, self._reset_at_kwh[meter])

    def _happens(self, probability: float) -> bool:
        return self._random.random() < probability

    def _apply(self, fault: Fault, deliveries: list[Delivery]) -> list[Delivery]:
        self.struck[fault.__name__] += len(deliveries)
        return [one for d in deliveries for one in fault(d, self._random)]
