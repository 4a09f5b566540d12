"""How many records a step may have, so that the event loop is back for others after a moment."""

from __future__ import annotations

import asyncio
from collections import defaultdict

STEP_S = 0.04
"""How long a step should hold up the event loop at most: whoever asks over HTTP waits for one step."""

LEAST_RECORDS = 50
"""The first step of a topic has as few: a worker that a large one cost its place in the group, or all of
its memory, gets past the same records when it starts again."""


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
        """Note that a step is over, and how long it took."""
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
