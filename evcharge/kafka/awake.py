"""Notices that the process did not run for so long that Kafka may have forgotten its fences.

A worker that was stopped or frozen (SIGSTOP, a suspended machine) and wakes up wants to go on where it
was, while others have its partitions. Kafka keeps it out by the epochs of its producers, which it
forgets a day after their last use; long before that, such a worker ends by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from evcharge.errors import EvchargeError

LONGEST_SLEEP_S = 3_600

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine is suspended, where there is such a clock."""


class SleptError(EvchargeError):
    """This process did not run for so long that it must not write any more."""

    exit_code = 70

    def __init__(self, slept_s: float) -> None:
        super().__init__(
            f"this process did not run for {slept_s:.0f} s: its place is taken, and it must not write"
        )


class Awake:
    """Has to be asked about once a second, and before everything that is written."""

    def __init__(self, now: Callable[[], float] = lambda: time.clock_gettime(_CLOCK)) -> None:
        self._now = now
        self._seen = now()

    def check(self) -> None:
        """Return if the process ran all the time.

        Raises:
            SleptError: it did not; asked again, this raises again.
        """
        slept = self._now() - self._seen
        if slept > LONGEST_SLEEP_S:
            raise SleptError(slept)
        self._seen += slept


AWAKE = Awake()
"""That of this process."""
