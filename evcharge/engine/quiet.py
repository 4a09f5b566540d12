"""Keeps the log to what is asked of it, and readable while Kafka is away.

aiokafka repeats its warnings thousands of times a minute then; and for its terminal spinner Faust has
every library make its debug records, a fifth of the CPU time of a worker with little to do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import faust

EVERY_S = 60.0

MOST_REMEMBERED = 1_000


class Repetitions(logging.Filter):
    """Lets each warning through once a minute, then says how often it came in between.

    Two warnings are the same if logger, level and text agree before arguments are put in.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide whether a record is written; may add to its text."""
        if record.levelno < logging.WARNING:
            return True
        message = record.name, record.levelno, str(record.msg)
        since, held_back = self._seen.get(message, (float("-inf"), 0))
        now = self._now()
        if now - since < EVERY_S:
            self._seen[message] = since, held_back + 1
            return False
        if held_back:
            record.msg = f"{record.getMessage()} (and {held_back} times more)"
            record.args = ()
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        self._seen[message] = now, 0
        return True


def hold_back_repetitions() -> None:
    """Hold back the warnings that aiokafka repeats."""
    repetitions = Repetitions()
    # A filter of a logger does not see what the loggers below it write.
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] == "aiokafka":
            logging.getLogger(name).addFilter(repetitions)


class LaneWorker(faust.Worker):
    """Faust's worker without the spinner, for which the root logger would be set to DEBUG."""

    def on_setup_root_logger(self, logger: logging.Logger, level: int) -> None:
        """Leave the root logger at the level that was asked for."""
        self.spinner = None
