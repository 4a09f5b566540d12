"""Effects become durable in order, all or none, and readers of the partition see them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from evcharge.engine.pipeline import Effects, Pipeline
from evcharge.kafka.log import Output
from evcharge.storage.partition_store import Marker, MemoryPartition, Rows

SOURCE = "station-status"


class SlowLog:
    """A log that acknowledges when it is told to, and writes down the order of events."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.may_answer = asyncio.Event()
        self.failure: Exception | None = None
        self.batches: list[list[tuple[bytes, bytes | None]]] = []

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    async def publish(self, outputs: Sequence[Output]) -> None:
        await self.may_answer.wait()
        self.events.append("outputs " + ",".join(o.topic for o in outputs))

    async def append(
        self, topic: str, partition: int, rows: Iterable[tuple[bytes, bytes | None]]
    ) -> int:
        await self.may_answer.wait()
        if self.failure:
            raise self.failure
        self.batches.append(list(rows))
        self.events.append("changelog")
        return sum(map(len, self.batches)) - 1


class LoggingStore(MemoryPartition):
    def __init__(self, events: list[str]) -> None:
        super().__init__()
        self.events = events

    def write(self, rows: Rows, changelog_offset: int) -> None:
        super().write(rows, changelog_offset)
        self.events.append("store")


class Bench:
    """A pipeline with everything around it in view."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.failures: list[str] = []
        self.log = SlowLog(self.events)
        self.store = LoggingStore(self.events)
        self.pipeline = Pipeline(
            "changelog", 0, self.store, self.log, lambda why, _: self.failures.append(why), 2
        )

    def submit(self, offset: int, rows: dict[bytes, bytes | None], *topics: str) -> None:
        outputs = [Output(topic, 0, None, b"x") for topic in topics]
        self.pipeline.submit(
            Effects(
                SOURCE,
                Marker(offset, 7),
                rows,
                outputs,
                [lambda: self.events.append(f"ack {offset}")],
            )
        )


async def test_outputs_come_before_state_and_state_before_the_ack() -> None:
    bench = Bench()
    bench.log.may_answer.set()
    bench.submit(9, {b"Sa": b"1"}, "dead-letters")
    await bench.pipeline.drained()
    assert bench.events == ["outputs dead-letters", "changelog", "store", "ack 9"]


async def test_a_reader_of_the_partition_sees_rows_before_they_are_durable() -> None:
    bench = Bench()
    bench.submit(9, {b"Sa": b"1", b"Sb": b"2"})
    assert bench.pipeline.get(b"Sa") == b"1"
    assert bench.store.get(b"Sa") is None
    bench.submit(10, {b"Sb": None})
    assert bench.pipeline.get_many([b"Sa", b"Sb", b"Sc"]) == [b"1", None, None]
    bench.log.may_answer.set()
    await bench.pipeline.drained()
    assert bench.store.get_many([b"Sa", b"Sb"]) == [b"1", None]
    assert bench.pipeline.get_many([b"Sa", b"Sb"]) == [b"1", None]


async def test_what_waits_while_a_batch_is_under_way_goes_out_as_one() -> None:
    bench = Bench()
    bench.submit(9, {b"Sa": b"1"})
    await asyncio.sleep(0)
    bench.submit(19, {b"Sa": b"2"})
    bench.submit(29, {b"Sa": b"3"})
    bench.log.may_answer.set()
    await bench.pipeline.drained()
    assert [dict(batch)[b"Sa"] for batch in bench.log.batches] == [b"1", b"3"]
    assert bench.events[-2:] == ["ack 19", "ack 29"]
    assert bench.store.marker(SOURCE) == Marker(29, 7)


async def test_the_marker_travels_in_the_batch_behind_the_rows() -> None:
    bench = Bench()
    bench.log.may_answer.set()
    bench.submit(9, {b"Sa": b"1"})
    await bench.pipeline.drained()
    keys = [key for key, _ in bench.log.batches[0]]
    assert keys == [b"Sa", b"\x00source\x00station-status"]
    assert bench.pipeline.applied_offset(SOURCE) == 9


async def test_a_changelog_that_does_not_answer_is_a_failure_and_acknowledges_nothing() -> None:
    bench = Bench()
    bench.log.failure = OSError("broker gone")
    bench.log.may_answer.set()
    bench.submit(9, {b"Sa": b"1"})
    with pytest.raises(OSError, match="broker gone"):
        await bench.pipeline.drained()
    assert bench.failures == [
        "partition 0 of changelog could not be made durable: broker gone",
    ]
    assert "ack 9" not in bench.events
    assert bench.store.get(b"Sa") is None


async def test_a_restarted_pipeline_knows_from_the_store_what_was_applied() -> None:
    bench = Bench()
    bench.log.may_answer.set()
    bench.submit(9, {b"Sa": b"1"})
    await bench.pipeline.drained()
    again = Pipeline("changelog", 0, bench.store, bench.log, lambda *_: None, 2)
    assert again.applied_offset(SOURCE) == 9
    assert again.applied_offset("station-status-rerouted") == -1


async def test_remembered_states_are_bounded_and_the_oldest_goes_first() -> None:
    pipeline = Bench().pipeline
    pipeline.remember(b"a", 1)
    pipeline.remember(b"b", 2)
    assert pipeline.cached(b"a") == 1
    pipeline.remember(b"c", 3)
    assert (pipeline.cached(b"a"), pipeline.cached(b"b"), pipeline.cached(b"c")) == (1, None, 3)


async def test_a_key_that_changes_again_moves_behind_what_came_between() -> None:
    # A crash may cut a large write anywhere: a state must never be durable before the rows that
    # the same step derived from it.
    bench = Bench()
    bench.submit(1, {b"Oa": b"open", b"Sa": b"running"})
    await asyncio.sleep(0)
    bench.submit(2, {b"R": b"x"})
    bench.submit(3, {b"Sa": b"running on"})
    bench.submit(4, {b"Oa": None, b"Sa": b"ended"})
    bench.log.may_answer.set()
    await bench.pipeline.drained()
    keys = [key for key, _ in bench.log.batches[1] if not key.startswith(b"\x00")]
    assert keys == [b"R", b"Oa", b"Sa"]


async def test_steps_that_do_not_fit_one_record_batch_go_out_one_after_the_other() -> None:
    bench = Bench()
    bench.submit(1, {b"S0": b""})
    await asyncio.sleep(0)
    for number in range(2, 6):
        bench.submit(number, {f"S{number}".encode(): b"x" * 400_000})
    bench.log.may_answer.set()
    await bench.pipeline.drained()
    assert [sum(key[:1] == b"S" for key, _ in batch) for batch in bench.log.batches] == [1, 2, 2]
    assert [event for event in bench.events if event.startswith("ack")] == [
        f"ack {number}" for number in range(1, 6)
    ]
