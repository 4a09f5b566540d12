"""All bays of a fleet, telling of themselves at an asked rate of events."""

from __future__ import annotations

import hashlib
import random
from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from evcharge.simulation.arrivals import demand
from evcharge.simulation.bay import Bay, Visit
from evcharge.simulation.vehicle import VEHICLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from evcharge.simulation.delivery import Delivery
    from evcharge.simulation.equipment import BayPlan, Plug

_EVENTS_OF_A_VISIT = 5
_BUSIEST = 0.6
_TELLS_REGISTER = 0.3
_FAULTS_AFTER_A_VISIT = 0.02
_NO_USER = 0.1
_EVERY_TENTH = 10


class Fleet:
    """Call `tick` with a time that grows, then `close`; the events come in time order.

    Cars come as the day goes, at most so many that half of `rate` (events per second) tells of
    their coming and going; the rest are readings of charging cars and repeated statuses, as many
    as the rate asks for. A visit lasts `session_s` on average. `seed` and `start_us` decide
    everything, the session ids too: another start gives other ids.
    """

    def __init__(
        self, plans: Sequence[BayPlan], *, seed: int, start_us: int, rate: float, session_s: float
    ) -> None:
        self._random = random.Random(f"fleet {seed}")
        self._run = hashlib.sha256(f"{seed} {start_us}".encode()).hexdigest()[:10]
        self._rate = rate
        self._session_us = session_s * 1e6
        self._bays = [self._bay(plan) for plan in plans]
        self._users = [f"U{self._random.getrandbits(40):010x}" for _ in range(3 * len(plans))]
        self._visits = 0
        self._now_us = start_us
        self._allowance = 0.0
        self._slot = 0
        self._plugs = deque((bay, plug) for bay in self._bays for plug in bay.plan.plugs)
        self._silent_yet = deque(self._plugs)
        self._ready: list[Bay] = []
        self._occupied: deque[Bay] = deque()
        # (instant, tie-breaker, what happens then)
        self._agenda: list[tuple[int, int, Callable[[int], list[Delivery]]]] = []
        self._planned = 0
        per_s = min(_BUSIEST * len(self._bays) / session_s, 0.5 * rate / _EVENTS_OF_A_VISIT)
        self._gap_us = 1e6 / per_s
        self._plan(start_us + self._next_gap_us(), self._arrive)

    @property
    def tick_us(self) -> int:
        """How often to `tick`: often enough for the rate, as each plug speaks once in a tick."""
        return int(min(100_000, max(1_000, 0.5e6 * len(self._plugs) / self._rate)))

    @property
    def occupied(self) -> int:
        """How many bays have a car."""
        return len(self._occupied)

    @property
    def visits(self) -> int:
        """How many cars have come so far."""
        return self._visits

    def tick(self, now_us: int) -> list[Delivery]:
        """Let time pass until now and return what the devices said meanwhile."""
        said: list[Delivery] = []
        while self._agenda and self._agenda[0][0] <= now_us:
            at_us, _, happen = heappop(self._agenda)
            said += happen(at_us)
        self._allowance += self._rate * (now_us - self._now_us) / 1e6 - len(said)
        self._now_us = now_us
        said += self._fill(now_us)
        return said

    def close(self, now_us: int) -> list[Delivery]:
        """Unplug every car, so that no session stays open when nobody simulates it any more."""
        said: list[Delivery] = []
        self._agenda.clear()
        for bay in self._occupied:
            said += bay.unplug(now_us, "Remote")
        self._occupied.clear()
        return said

    def _bay(self, plan: BayPlan) -> Bay:
        return Bay(
            plan,
            register_wh=self._random.uniform(1e5, 9e7),
            tells_register=self._random.random() < _TELLS_REGISTER,
        )

    def _plan(self, at_us: float, happen: Callable[[int], list[Delivery]]) -> None:
        self._planned += 1
        heappush(self._agenda, (int(at_us), self._planned, happen))

    def _next_gap_us(self) -> float:
        return self._random.expovariate(1.0) * self._gap_us

    def _arrive(self, at_us: int) -> list[Delivery]:
        self._plan(at_us + self._next_gap_us(), self._arrive)
        free = [b for b in self._ready if b.visit is None and at_us >= b.faulted_until_us]
        if not free:
            return []
        bay = self._random.choice(free)
        if self._random.random() > demand(at_us, bay.plan.time_zone):
            return []
        visit = self._visit(bay.plan.plugs, at_us)
        self._occupied.append(bay)
        if visit.enough_us < visit.leaves_us:
            self._plan(visit.enough_us, lambda at: self._enough(bay, visit, at))
        self._plan(visit.leaves_us, lambda at: self._leave(bay, at))
        return bay.plug_in(visit)

    def _visit(self, plugs: Sequence[Plug], at_us: int) -> Visit:
        chance = self._random
        self._visits += 1
        stays_us = self._session_us * chance.triangular(0.45, 1.95, 0.6)
        # Two cars in five stay on after they have what they need.
        charges_us = stays_us * (chance.uniform(0.5, 0.9) if chance.random() < 0.4 else 1.0)
        user = chance.choice(self._users)
        return Visit(
            session_id=f"{self._run}-{self._visits}",
            user_id=None if chance.random() < _NO_USER else user,
            plug=chance.choice(plugs),
            vehicle=chance.choice(VEHICLES),
            state_of_charge=chance.uniform(0.1, 0.95),
            enough_us=int(at_us + charges_us),
            leaves_us=int(at_us + stays_us),
            metered_us=at_us,
        )

    def _enough(self, bay: Bay, visit: Visit, at_us: int) -> list[Delivery]:
        return bay.stop_charging(at_us) if bay.visit is visit else []

    def _leave(self, bay: Bay, at_us: int) -> list[Delivery]:
        self._occupied.remove(bay)
        said = bay.unplug(at_us, "EVDisconnected")
        if self._random.random() < _FAULTS_AFTER_A_VISIT:
            plug = bay.plan.plugs[0]
            bay.faulted_until_us = at_us + int(self._session_us)
            said.append(bay.status(plug, at_us))
            self._plan(bay.faulted_until_us, lambda at: [bay.status(plug, at)])
        return said

    def _fill(self, now_us: int) -> list[Delivery]:
        """Spend what the rate still allows: first words, readings, every tenth time a status."""
        said: list[Delivery] = []
        readings, statuses = len(self._occupied), len(self._plugs)
        while self._allowance >= 1:
            self._slot += 1
            if self._silent_yet:
                bay, plug = self._silent_yet.popleft()
                said.append(bay.status(plug, now_us))
                if plug == bay.plan.plugs[-1]:
                    self._ready.append(bay)
            elif readings and self._slot % _EVERY_TENTH:
                readings -= 1
                said += self._occupied[0].update(now_us)
                self._occupied.rotate(-1)
            elif statuses:
                statuses -= 1
                said.append(self._plugs[0][0].status(self._plugs[0][1], now_us))
                self._plugs.rotate(-1)
            else:
                # Everybody has spoken; what is left over would come as a burst later.
                self._allowance = 0.0
                break
            self._allowance -= 1
        return said
