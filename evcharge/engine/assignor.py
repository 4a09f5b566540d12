"""Faust's assignor, for members that Kafka knows again after a restart."""

from __future__ import annotations

from typing import Any

from faust.assignor.client_assignment import ClientMetadata
from faust.assignor.partition_assignor import PartitionAssignor


class StaleAssignmentError(Exception):
    """Kafka gave a worker that is back what its predecessor had, and that does not fit any more."""


class LaneAssignor(PartitionAssignor):
    """Assigns as Faust does, and refuses an assignment made for what this worker was before.

    A worker that is back gets its partitions without a rebalance, as they were assigned last. If its
    URL or its topics have changed since (it moved, or is of a newer release), everybody has to hear
    of it: a new assignment is needed.
    """

    _topics: frozenset[str] = frozenset()
    _assigned = False

    def metadata(self, topics: set[str]) -> Any:
        """Return what the leader of the group is told of this worker."""
        self._topics = frozenset(topics)
        return super().metadata(topics)

    def on_assignment(self, assignment: Any) -> None:
        """Take over an assignment.

        Raises:
            StaleAssignmentError: it is this worker's first, and made for its predecessor.
        """
        if not self._assigned:
            self._assigned = True
            made_for: Any = ClientMetadata.loads(self._decompress(assignment.user_data))
            if made_for.url != str(self._url) or not self._topics <= set(made_for.topic_groups):
                raise StaleAssignmentError
        super().on_assignment(assignment)
