"""How many records a step may have, so that the event loop is back for others after a moment."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from time import perf_counter, thread_time

STEP_S = 0.04
"""How long a step should work at most: whoever asks over HTTP waits for one step. One that waits, for a
disk, for the core or for another thread, may take four times as long (``WAITED_SHARE``)."""

LEAST_RECORDS = 50
"""The first step of a topic has as few: a worker that a large one cost its place in the group, or all of
its memory, gets past the same records when it starts again."""


WAITED_SHARE = 0.25
"""How much of the time that passes in a step counts where it did not work: steps that wait for a slow
disk have to be smaller. Steps that wait for another process on the same core need not: there would only
be more of them, and more work, for a row that a chunk changes twice is written once."""


class Stopwatch:
    """Measures a step, from here on."""

    def __init__(
        self,
        used_s: Callable[[], float] = thread_time,
        passed_s: Callable[[], float] = perf_counter,
    ) -> None:
        """``used_s``: CPU time of the thread; ``passed_s``: a clock."""
        self._used_s, self._passed_s = used_s, passed_s
        self._began = used_s(), passed_s()

    def seconds(self) -> float:
        """Return how long the step is taken to have held up the event loop."""
        used_s, passed_s = self._began
        return max(self._used_s() - used_s, (self._passed_s() - passed_s) * WAITED_SHARE)


class Pace:
    """Adapts the size of the chunks of each topic to how long their steps took."""

    def __init__(self, most_records: int, step_s: float = STEP_S) -> None:
        """No chunk has more than ``most_records``, however quick its step would be."""
        self._most_records = most_records
        self._step_s = step_s
        self._least_records = min(LEAST_RECORDS, most_records)
        self._limits: defaultdict[str, int] = defaultdict(lambda: self._least_records)
        self._computed: asyncio.Future[None] | None = None

    def most_records(self, topic: str) -> int:
        """Return how many records the next chunk of a topic may have."""
        return self._limits[topic]

    def deliver(self) -> asyncio.Future[None]:
        """Return a future of the step of the chunk that is delivered next."""
        self._computed = asyncio.get_running_loop().create_future()
        return self._computed

    def took(self, topic: str, records: int, seconds: float) -> None:
        """Note that a step is over, and how long it took (:class:`Stopwatch`)."""
        limit = self._limits[topic]
        # A step below the limit says how long its records took, but not that more would be quick:
        # most of a small step is the same for any number of records.
        if records >= limit or seconds > self._step_s:
            factor = min(max(self._step_s / max(seconds, 1e-6), 0.5), 2.0)
            wanted = int(min(records, limit) * factor)
            self._limits[topic] = min(max(wanted, self._least_records), self._most_records)
        self.abandon()

    def abandon(self) -> None:
        """Have nobody wait for the step of the chunk delivered last: it is over, or will not be."""
        if self._computed is not None and not self._computed.done():
            self._computed.set_result(None)
