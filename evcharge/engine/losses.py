"""Tells of source records that Kafka removed before this deployment read them."""

from __future__ import annotations

import logging

from evcharge.engine.counters import Counters

logger = logging.getLogger(__name__)


class Losses:
    """Counts and reports each loss once, however often a partition is taken over or looked at."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._told: dict[tuple[str, int], int] = {}
        """Offset of each partition up to which losses were reported."""

    def tell(self, topic: str, partition: int, begin: int, end: int) -> None:
        """Report that the offsets from ``begin`` to before ``end`` are gone unread.

        They are counted as ``records_lost``. Markers of transactions that were among them are counted
        too: nobody can tell any more.
        """
        begin = max(begin, self._told.get((topic, partition), 0))
        if begin >= end:
            return
        self._told[topic, partition] = end
        self._counters.add("records_lost", topic, end - begin)
        logger.error(
            "%s/%d: the offsets %d to %d are lost: Kafka removed them before they were read, and the"
            " worker goes on at %d. Was a worker away, or too slow, for longer than the topic keeps"
            " records (retention.ms, retention.bytes), or did somebody delete records?",
            topic,
            partition,
            begin,
            end - 1,
            end,
        )
