"""Decides when a worker has to end because it gets nowhere, though Kafka is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

P = TypeVar("P")

LONGEST_GAP_S = 10.0
"""Between two looks; after a longer one Kafka was away, or the process was frozen: all begins anew."""

REBALANCE_PATIENCES = 10
"""So many times the patience may a rebalance last, with the restoring of tables that belongs to it."""


class Watchdog(Generic[P]):
    """Watches the source partitions ``P``; fed about once a second, only while Kafka answers.

    Whoever finds Kafka away does not feed it: that is not the worker's fault, and a restart no cure.
    """

    def __init__(self, patience_s: float) -> None:
        """A partition may make no progress for ``patience_s`` while records wait in it."""
        self._patience_s = patience_s
        self._looked_at = float("-inf")
        self._stuck: dict[P, tuple[int, float]] = {}
        """Where each partition with waiting records is, and since when."""
        self._rebalancing_since: float | None = None

    def look(self, now: float, durable: Mapping[P, int], ends: Mapping[P, int]) -> str | None:
        """Return why the worker has to end, if it has to.

        ``durable`` says before which offset all is durable, ``ends`` where the partitions end.
        """
        self._after_gap(now)
        self._rebalancing_since = None
        stuck = {}
        for partition, end in ends.items():
            at = durable.get(partition, end)
            if at < end:
                before = self._stuck.get(partition)
                stuck[partition] = before if before and before[0] == at else (at, now)
        self._stuck = stuck
        for partition, (at, since) in stuck.items():
            if now - since >= self._patience_s:
                return (
                    f"nothing of {partition} behind offset {at} became durable for"
                    f" {now - since:.0f} s, though Kafka answers and has {ends[partition] - at}"
                    " records more"
                )
        return None

    def look_at_rebalance(self, now: float) -> str | None:
        """Return why the worker has to end, if it has to, while its partitions are assigned."""
        self._after_gap(now)
        self._stuck.clear()
        if self._rebalancing_since is None:
            self._rebalancing_since = now
        lasted = now - self._rebalancing_since
        if lasted >= self._patience_s * REBALANCE_PATIENCES:
            return f"a rebalance did not end for {lasted:.0f} s, though Kafka answers"
        return None

    def _after_gap(self, now: float) -> None:
        if now - self._looked_at > LONGEST_GAP_S:
            self._stuck.clear()
            self._rebalancing_since = None
        self._looked_at = now
