"""One chunk's way through an agent: the only object that reads state and collects effects."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any, Protocol, TypeVar

from evcharge.domain.quantities import MAX_INSTANT_US
from evcharge.engine.blame import NOT_THE_RULE
from evcharge.engine.chunk import Chunk, SourceRecord
from evcharge.engine.counters import Counters
from evcharge.engine.forwarding import SUFFIX, forward, restore
from evcharge.engine.pipeline import Effects, Pipeline
from evcharge.events.rejection import Reason, Rejected
from evcharge.kafka.batches import MAX_RECORD_BYTES, size_alone
from evcharge.kafka.log import Output
from evcharge.kafka.partitioning import Partitioner
from evcharge.storage.partition_store import Marker

logger = logging.getLogger(__name__)

_new = tuple.__new__


class Said(Protocol):
    """What a record says: its station decides its partition, its first place tells which it is."""

    @property
    def station_id(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


DeadLetter = Callable[[str, int, SourceRecord, Rejected], Output]
"""Makes the dead letter of a record: of which topic, into which partition, why."""

K = TypeVar("K")
R = TypeVar("R", bound=Said)
S = TypeVar("S")


class Step:
    """The records of one chunk that were not applied before, and what becomes of them.

    An agent decodes, applies rules to keys, and returns. The lane then makes the effects durable, all or
    nothing: what goes to other topics, the rows, and the marker of what was read.
    Nothing that a record contains can raise from here; what can is not the records' fault, and voids
    the step.
    """

    def __init__(
        self,
        chunk: Chunk,
        pipeline: Pipeline,
        partitioner: Partitioner,
        dead_letter: DeadLetter,
        counters: Counters,
    ) -> None:
        """Leave out the records that were applied before.

        Raises:
            RuntimeError: all of them were, and more: the worker has to end.
        """
        self.partition = chunk.partition
        self.source_topic = chunk.topic.removesuffix(SUFFIX)
        self._chunk = chunk
        self._pipeline = pipeline
        self._partitioner = partitioner
        self._dead_letter = dead_letter
        self._counters = counters
        self._changed: dict[bytes, tuple[Any, Callable[[Any], bytes]]] = {}
        self._accepted = 0
        self._sources: dict[tuple[int, int], SourceRecord] = {}
        self.effects = Effects(chunk.topic, Marker(chunk.last.offset, chunk.last.timestamp))
        applied = pipeline.applied_offset(chunk.topic)
        if chunk.last.offset < applied:
            # The marker would go backwards, and what it covered be applied again.
            raise RuntimeError(
                f"{chunk.topic}/{chunk.partition} was applied up to {applied}, and comes again up to"
                f" {chunk.last.offset}: a chunk goes on where the one before it ended"
            )
        fresh: Sequence[SourceRecord] = chunk.records
        if fresh[0].offset <= applied:
            fresh = [record for record in fresh if record.offset > applied]
        rerouted = chunk.topic.endswith(SUFFIX)
        self.records = [restore(record) for record in fresh] if rerouted else fresh

    # -- input

    @property
    def now_us(self) -> int:
        """Append time of its last record in microseconds: the log's own clock.

        In a topic that keeps the times of its producers it can be any number: then that of the last
        record with one that can be true, 0 if none has.
        """
        times_us = (record.timestamp * 1000 for record in reversed(self._chunk.records))
        return next((each for each in times_us if 0 <= each <= MAX_INSTANT_US), 0)

    def decode(
        self,
        decoder: Callable[[Sequence[SourceRecord]], Sequence[R | Rejected]],
        key: Callable[[R], K],
        *,
        forwards: bool = True,
    ) -> list[tuple[K, list[R]]]:
        """Return what the valid records of this partition's stations say, by ``key``.

        A key belongs to one station. The records of each are in the order of arrival, the keys in any
        order. The others are on their way to ``dead-letters`` or to their own partition; without
        ``forwards`` those of other partitions' stations are dead letters too.
        """
        outcomes = decoder(self.records)
        if Rejected in set(map(type, outcomes)):
            outcomes = self._without_rejected(outcomes)
        said: list[R] = outcomes  # type: ignore[assignment]
        groups: defaultdict[K, list[R]] = defaultdict(list)
        for at, each in zip(map(key, said), said, strict=True):
            groups[at].append(each)
        accepted = len(said) - self._without_strangers(groups, forwards=forwards)
        self.count("records_accepted", accepted)
        self._accepted += accepted
        if 2 * len(groups) > len(said):
            # So many keys are hardly cached. RocksDB finds and takes neighbours in half of the time.
            return sorted(groups.items(), key=itemgetter(0))
        return list(groups.items())

    def _without_strangers(self, groups: dict[K, list[R]], *, forwards: bool) -> int:
        """Take out the keys of other partitions' stations; return how many records they had."""
        homes = self._partitioner.partitions_of([group[0].station_id for group in groups.values()])
        if homes.count(self.partition) == len(homes):
            return 0
        taken_out = 0
        for at, home in zip(list(groups), homes, strict=True):
            if home != self.partition:
                strangers = groups.pop(at)
                taken_out += len(strangers)
                for each in strangers:
                    if forwards:
                        self.reroute(self.source_of(each), home)
                    else:
                        detail = f"station {each.station_id} belongs to partition {home}"
                        self.reject(self.source_of(each), Rejected(Reason.WRONG_PARTITION, detail))
        return taken_out

    def _without_rejected(self, outcomes: Sequence[R | Rejected]) -> list[R]:
        said: list[R] = []
        for record, outcome in zip(self.records, outcomes, strict=True):
            if isinstance(outcome, Rejected):
                self.reject(record, outcome)
            else:
                said.append(outcome)
        return said

    def source_of(self, said: Said) -> SourceRecord:
        """Return the record of this step that says something."""
        if not self._sources:
            self._sources.update({(each.partition, each.offset): each for each in self.records})
        return self._sources[said.partition, said.offset]

    def reject(self, record: SourceRecord, rejected: Rejected, topic: str | None = None) -> None:
        """Send a record to ``dead-letters`` as it came, with the reason.

        ``topic``: that of a record of an earlier step, which was kept; None: it is of this one.
        """
        topic = topic or self.source_topic
        self.effects.outputs.append(self._dead_letter(topic, self.partition, record, rejected))
        self._counters.add("records_rejected", f"{topic},{rejected.reason}", 1)

    def refuse(self, said: Said, rejected: Rejected) -> None:
        """Send a record that was decoded, and that a rule cannot take up, to ``dead-letters``."""
        self._accepted -= 1
        self.reject(self.source_of(said), rejected)

    def reroute(self, record: SourceRecord, home: int) -> None:
        """Send a record to the partition that its station belongs to.

        It fits there, unless somebody else wrote it into the rerouted topic itself.
        """
        output = forward(record, self.source_topic + SUFFIX, home)
        size = size_alone(*output[2:])
        if size > MAX_RECORD_BYTES:
            detail = (
                f"The record cannot be rerouted: {size:,} bytes, more than {MAX_RECORD_BYTES:,}."
            )
            self.reject(record, Rejected(Reason.TOO_LARGE, detail))
            return
        self.effects.outputs.append(output)
        self.count("records_rerouted", 1)

    def count(self, name: str, amount: int) -> None:
        """Add to a counter of this step's topic."""
        self._counters.add(name, self.source_topic, amount)

    def emit(self, topic: str, key: bytes, value: bytes) -> None:
        """Produce a record to a topic that is partitioned like this step's, by the station.

        ``topic`` is its full name; the record goes to the partition of this step's number.
        """
        self.effects.outputs.append(_new(Output, (topic, self.partition, key, value, ())))

    # -- state

    def get(self, key: bytes) -> bytes | None:
        """Return a row as all steps so far left it, this one included."""
        rows = self.effects.rows
        return rows[key] if key in rows else self._pipeline.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return many rows as all steps so far left them, this one included."""
        rows = self.effects.rows
        return [rows.get(k, v) for k, v in zip(keys, self._pipeline.get_many(keys), strict=True)]

    def put(self, key: bytes, value: bytes | None) -> None:
        """Set a row, or delete it with ``None``."""
        self.effects.rows[key] = value

    def state(self, key: bytes, decode: Callable[[bytes], S]) -> S | None:
        """Return the state kept in a row."""
        changed = self._changed.get(key)
        if changed is not None:
            return changed[0]  # type: ignore[no-any-return]
        row = self.get(key)
        return None if row is None else decode(row)

    def put_state(self, key: bytes, state: S, encode: Callable[[S], bytes]) -> None:
        """Set the state kept in a row; it is encoded once, when the step ends.

        A row that holds a state is never deleted.
        """
        self._changed[key] = (state, encode)

    # -- rules

    def apply_all(
        self, rule: Callable[[Step, K, Sequence[R]], None], groups: Sequence[tuple[K, Sequence[R]]]
    ) -> None:
        """Run a rule over the records of each key; see :meth:`apply`."""
        done = 0
        while done < len(groups):
            try:
                # One frame for all of them: of a large fleet each key has one record.
                for key, records in islice(groups, done, None):
                    rule(self, key, records)
                    done += 1
            except NOT_THE_RULE:
                raise
            except Exception:  # noqa: BLE001 - it is told where the rule is run again
                self.apply(rule, *groups[done])
                done += 1

    def apply(
        self, rule: Callable[[Step, K, Sequence[R]], None], key: K, records: Sequence[R]
    ) -> None:
        """Run a rule over the records of one key.

        The rule must not put anything before all that can raise is done. If it raises, that is a bug
        of ours: the record that it raises for, found by halving, goes to ``dead-letters`` as
        ``rule-failed``, the others are applied.

        Raises:
            EvchargeError: the disk failed or the like (:mod:`evcharge.engine.blame`): the step is void.
        """
        try:
            rule(self, key, records)
        except NOT_THE_RULE:
            raise
        except Exception as bug:
            if len(records) > 1:
                half = len(records) // 2
                self.apply(rule, key, records[:half])
                self.apply(rule, key, records[half:])
                return
            (said,) = records
            logger.exception(
                "rule failed for record %s/%d/%d", self.source_topic, said.partition, said.offset
            )
            detail = f"a rule of evcharge raised {type(bug).__name__}, station {said.station_id}"
            self.refuse(said, Rejected(Reason.RULE_FAILED, detail))

    def finish(self) -> Effects:
        """Encode the changed states and return the effects; the step is over."""
        states = {key: encode(state) for key, (state, encode) in self._changed.items()}
        self.effects.states = states
        self.effects.rows.update(states)
        self._changed.clear()
        counted = partial(self._counters.add, "records_applied", self.source_topic, self._accepted)
        self.effects.on_durable.insert(0, counted)
        return self.effects
