"""Takes a transactional id over and ends what its former owners have left open.

1. Look where they have something open, waiting until the changelog has a leader. So far nothing is
   changed: whoever is stopped here leaves everything as it was.
2. Ask the coordinator how the last transaction ended, and refuse where nobody can tell any more.
3. Take over. From here on only this process knows how it ended, so nothing is waited for but the
   coordinator.
4. Look again, and end what is still open: abort, or commit if there is nothing left to abort.

What has no leader then is *owed*: it is ended once it has one, and before a transaction that it could
get mixed up with.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aiokafka.structs import TopicPartition

from evcharge.kafka.inherited_ends import InheritedEnds, Look
from evcharge.kafka.last_transaction import NO_PRODUCER, ForgottenEndError, LastTransaction
from evcharge.kafka.partition_ends import ALL, named
from evcharge.kafka.producer import Producer
from evcharge.kafka.waiting import Waiting
from evcharge.kafka.wire import Wire

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OwedLook:
    """A look at what was owed."""

    last: LastTransaction
    """By which it was owed."""
    owed: frozenset[TopicPartition]
    look: Look


class Succession:
    """What one writer inherits; only one coroutine at a time may use it."""

    def __init__(
        self, wire: Wire, inherited: InheritedEnds, producer: Producer, changelog: TopicPartition
    ) -> None:
        self._wire = wire
        self._inherited = inherited
        self._producer = producer
        self._changelog = changelog
        self._last = LastTransaction()
        """That of the former owner."""
        self.owed: set[TopicPartition] = set()
        """Where it may have something open."""

    async def look(self) -> Look:
        """Return what is open, waiting until the changelog has a leader.

        Raises:
            ForgottenEndError: something is open in the changelog, nobody knows how it ended.
            TransactionsUntoldError: Kafka tells nothing.
        """
        producer = self._producer
        return await self._inherited.before_take_over(
            producer.transactional_id, self._changelog, producer.identity
        )

    async def take_over(self, look: Look) -> bool:
        """Shut out the former owner and end what it has left open; return whether there was another.

        If nobody has taken over since we did, we know what we knew: Kafka would not tell it again.

        Raises:
            ForgottenEndError: something is open, and nobody knows how it ended.
            KafkaError: Kafka refuses for good.
        """
        name = self._producer.transactional_id
        heard: LastTransaction | None = None

        async def listen() -> None:
            nonlocal heard
            heard = await self._inherited.last_transaction(name)

        # Asked now: a former owner that lives may have gone on during the look.
        last = await self._inherited.last_transaction(name)
        if self._is_ours(last):
            if self._producer.undecided:
                await self._producer.take_over()
            await self.end_owed(await self.look_at_owed())
            return False
        hidden = look.open_of(last.producer_id)
        if self._forgotten(last, hidden):
            # It may have been ended since.
            again = await self._inherited.look(hidden)
            look = Look(silent=look.silent | again.silent)
            hidden = again.open_of(last.producer_id)
        self._require_known(last, hidden)
        await self._producer.take_over(listen)
        self._last = last.ended(heard)
        if last.producer_id == NO_PRODUCER:
            self.owed = set()
        else:
            self.owed = {*hidden, *look.silent, *last.tps, *self._last.tps}
            if self._last.began_ms != last.began_ms:
                # A former owner has begun another one since, anywhere.
                self.owed |= await self._inherited.everywhere(self._changelog)
        await self.end_owed(await self.look_at_owed())
        return True

    async def look_at_owed(self) -> OwedLook:
        """Return what is open of what is owed.

        Raises as :meth:`take_over` does.
        """
        owed = frozenset(self.owed)
        return OwedLook(self._last, owed, await self._inherited.look(owed))

    async def end_owed(self, seen: OwedLook) -> None:
        """End what was seen open; it stays owed until a look finds it ended.

        Raises as :meth:`take_over` does.
        """
        # What was cut short must not be taken for whole.
        if not self.owed or self._producer.undecided:
            return
        if seen.last is not self._last or seen.owed != self.owed:
            # Something was ended or taken over since the look.
            return
        look = seen.look
        hidden = look.open_of(self._last.producer_id)
        self.owed = hidden.keys() | look.silent
        self._require_known(self._last, hidden)
        if hidden and self._producer.epoch.producer_id != self._last.producer_id:
            raise ForgottenEndError(self._producer.transactional_id, hidden)
        if aborted := {tp for tp, ms in hidden.items() if not self._last.was_committed(tp, ms)}:
            # With those that nobody tells of: whoever comes next must not take them for committed.
            doubtful = {tp for tp in self._doubtful() if tp.partition != ALL}
            await self._end(aborted | doubtful, committed=False)
        elif hidden and not self._doubtful():
            await self._end(hidden, committed=True)

    def in_the_way(self, tps: Collection[TopicPartition]) -> set[TopicPartition]:
        """Return where something has to be ended before a transaction of ours in ``tps`` may begin.

        Our markers would decide about what is open there too; and once we have committed anything, our
        successor takes all that is open for committed.
        """
        topics = {tp.topic for tp in tps}
        whole = {tp for tp in self.owed if tp.partition == ALL and tp.topic in topics}
        return self.owed.intersection(tps) | whole | self._doubtful()

    async def out_of_the_way(self, tps: Collection[TopicPartition]) -> None:
        """Return when a transaction in ``tps`` may begin; raises as :meth:`take_over` does."""
        waiting = Waiting(f"the end of a former transaction of {self._producer.transactional_id}")
        while self.in_the_way(tps):
            await self.end_owed(await self.look_at_owed())
            if left := self.in_the_way(tps):
                waiting.goes_on(f"it may be open in {named(left)}")
                await self._wire.look_again()

    def _is_ours(self, last: LastTransaction) -> bool:
        """Whether what we know is still all there is to know.

        Not so if a transaction of ours was cut short, and Kafka has heard of it.
        """
        cut_short = self._producer.undecided and last.is_known
        return last.identity == self._producer.identity and not cut_short

    def _doubtful(self) -> set[TopicPartition]:
        """Return where something may be open that was not committed."""
        return {tp for tp in self.owed if not self._last.was_committed(tp)}

    def _forgotten(
        self, last: LastTransaction, hidden: Mapping[TopicPartition, int]
    ) -> list[TopicPartition]:
        """Return where something is open of which nobody can tell how it ended."""
        return [tp for tp, ms in hidden.items() if last.was_committed(tp, ms) is None]

    def _require_known(self, last: LastTransaction, hidden: Mapping[TopicPartition, int]) -> None:
        if forgotten := self._forgotten(last, hidden):
            raise ForgottenEndError(self._producer.transactional_id, forgotten)

    async def _end(self, tps: Collection[TopicPartition], *, committed: bool) -> None:
        logger.warning(
            "readers do not see that a former transaction of %s was %s, ending it again in %s",
            self._producer.transactional_id,
            "committed" if committed else "aborted",
            named(tps),
        )
        await self._producer.begin(tps)
        await self._producer.end(committed=committed)
