"""Tells in the log what is waited for, where waiting has no end of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

FIRST_S = 5.0
"""What takes less than that is nothing unusual."""

AGAIN_S = 30.0


class Waiting:
    """One wait: told of once it lasts, and then now and then."""

    def __init__(self, what: str, now: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._now = now
        self._since = now()
        self._told = self._since + FIRST_S - AGAIN_S

    def goes_on(self, why: object) -> None:
        """Has to be called each time that it was not there yet; ``why`` is what was heard instead."""
        now = self._now()
        if now - self._told >= AGAIN_S:
            self._told = now
            logger.warning("waiting for %s since %.0f s: %s", self._what, now - self._since, why)
