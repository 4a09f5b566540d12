"""What Kafka tells of the last transaction of a transactional id, and what follows from it.

A writer begins a transaction only after it has committed the one before, and a new owner only after it
has made an end to all that a former owner is not known to have committed. So what is open in partitions
outside of the last transaction was committed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aiokafka.structs import TopicPartition

from evcharge.errors import EvchargeError
from evcharge.kafka.batches import Identity
from evcharge.kafka.partition_ends import named

ONGOING = "Ongoing"
_COMMITTED = frozenset({"PrepareCommit", "CompleteCommit"})
_ABORTED = frozenset({"PrepareAbort", "PrepareEpochFence", "CompleteAbort"})
"""The coordinator forgets each partition when it has written its marker, or has left it out."""

CLOCKS_APART_MS = 1_000
"""Times of two brokers that differ by less may be one moment."""

NO_PRODUCER = -1


class ForgottenEndError(EvchargeError):
    """Nobody knows any more how a transaction ended that is open in some partitions."""

    exit_code = 70

    def __init__(self, transactional_id: str, tps: Iterable[TopicPartition]) -> None:
        super().__init__(
            f"a former transaction of {transactional_id} is open in {named(tps)}, and Kafka does not"
            " know any more how it ended: decide with kafka-transactions.sh (find-hanging, abort)"
        )


@dataclass(frozen=True, slots=True)
class LastTransaction:
    """The last transaction of a transactional id."""

    producer_id: int = NO_PRODUCER
    """``NO_PRODUCER``: there never was one, or it was idle for so long that Kafka has forgotten it."""
    state: str = ""
    began_ms: int = -1
    """By the coordinator's clock."""
    tps: frozenset[TopicPartition] = frozenset()
    """Its partitions, so long as it is ongoing; then those that Kafka has not seen to yet."""
    one_clock: bool = False
    """Whether one broker has told all times."""
    epoch: int = -1
    """Of whoever took the transactional id over last."""

    @property
    def identity(self) -> Identity:
        """Who took the transactional id over last."""
        return Identity(self.producer_id, self.epoch)

    @property
    def is_known(self) -> bool:
        """Whether Kafka tells anything about it.

        If not, the last owner died while it took over: a living one commits a transaction then.
        """
        return self.state in _COMMITTED | _ABORTED | {ONGOING}

    def was_committed(self, tp: TopicPartition, written_ms: int | None = None) -> bool | None:
        """Return whether what is open in a partition was committed; ``None``: nobody can tell.

        ``written_ms``: when the producer last wrote there.
        """
        if self.state in _COMMITTED:
            return True
        if self.state == ONGOING:
            # It is aborted when somebody takes its transactional id over.
            return tp not in self.tps
        if self.state in _ABORTED:
            apart_ms = 0 if self.one_clock else CLOCKS_APART_MS
            since_ms = self.began_ms + apart_ms
            is_of_it = self.began_ms >= 0 and written_ms is not None and written_ms >= since_ms
            # What is older may be of a committed one, but of one that was to abort too.
            return False if tp in self.tps or is_of_it else None
        return True if self.tps and tp not in self.tps else None

    def ended(self, heard: LastTransaction | None) -> LastTransaction:
        """Return what is known once its transactional id was taken over.

        ``heard``: what Kafka told of it while that waited for its end, ``None`` if there was no wait.
        """
        if heard is None or heard.state == ONGOING:
            # Somebody else may have ended an ongoing one, either way.
            told = heard or self
            return told if told.state != ONGOING else told.forgotten()
        if heard.state in _ABORTED and heard.began_ms == self.began_ms:
            # The same one, when more of its partitions were known.
            return self if self.state == ONGOING else replace(heard, tps=self.tps | heard.tps)
        return heard

    def forgotten(self) -> LastTransaction:
        """Return the same, not knowing how it ended."""
        return replace(self, state="")
