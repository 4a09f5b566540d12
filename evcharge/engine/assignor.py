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
    _accepted = False
    _refused = 0

    def metadata(self, topics: set[str]) -> Any:
        """Return what the leader of the group is told of this worker.

        Kafka assigns anew when a member joins again with other bytes than before, so a refusal adds a
        space to them.
        """
        self._topics = frozenset(topics)
        told: Any = super().metadata(topics)
        told.user_data += b" " * self._refused
        return told

    def on_assignment(self, assignment: Any) -> None:
        """Take over an assignment.

        Raises:
            StaleAssignmentError: it was made for another process of this worker's name, its predecessor
                or its successor: it has to join again.
        """
        made_for: Any = ClientMetadata.loads(self._decompress(assignment.user_data))
        # Another process that joins under this one's name has an assignment made for its own URL, which
        # this one can still be given: joining again tells it that it was replaced.
        fits = made_for.url == str(self._url)
        if not self._accepted:
            fits = fits and self._topics <= set(made_for.topic_groups)
        if not fits:
            self._refused += 1
            raise StaleAssignmentError
        self._accepted = True
        super().on_assignment(assignment)
