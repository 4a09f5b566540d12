"""Counts and logs the reference records that are kept out."""

from __future__ import annotations

import logging
from collections import Counter

from evcharge.events.rejection import Reason, Rejected

logger = logging.getLogger(__name__)


class Refusals:
    """How many records of one topic were kept out since the start, by reason."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.count: Counter[Reason] = Counter()

    def add(self, offset: int, rejected: Rejected) -> None:
        """Count one and say which; `load` would have refused it before it was published."""
        self.count[rejected.reason] += 1
        logger.warning(
            "%s: the record at offset %d is ignored: %s (%s)",
            self.topic,
            offset,
            rejected.detail,
            rejected.reason,
        )
