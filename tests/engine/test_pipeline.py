"""Effects become durable in order, all or none, and readers of the partition see them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from evcharge.engine.pipeline import Effects, Pipeline
from evcharge.kafka.log import Output, Row
from evcharge.storage.partition_store import Marker, MemoryPartition, Rows

SOURCE = "station-status"


class SlowWriter:
    """A writer that acknowledges when it is told to, and writes down the order of events."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.may_answer = asyncio.Event()
        self.failure: Exception | None = None
        self.batches: list[list[Row]] = []

    async def take_over(self, rows: Sequence[Row]) -> int:
        raise NotImplementedError

    async def write(self, rows: Iterable[Row], outputs: Sequence[Output]) -> int:
        await self.may_answer.wait()
        if self.failure:
            raise self.failure
        self.batches.append(list(rows))
        self.events.append(" ".join(["changelog", *(output.topic for output in outputs)]))
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
        self.writer = SlowWriter(self.events)
        self.store = LoggingStore(self.events)
        self.pipeline = Pipeline(
            "changelog",
            0,
            self.store,
            self.writer,
            lambda offset, _: self.events.append(f"told {offset}"),
            lambda why, _: self.failures.append(why),
            2,
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


async def test_outputs_are_written_with_the_state_and_before_the_ack() -> None:
    bench = Bench()
    bench.writer.may_answer.set()
    bench.submit(9, {b"Sa": b"1"}, "dead-letters")
    await bench.pipeline.drained()
    assert bench.events == ["changelog dead-letters", "store", "ack 9", "told 1"]


async def test_a_reader_of_the_partition_sees_rows_before_they_are_durable() -> None:
    bench = Bench()
    bench.submit(9, {b"Sa": b"1", b"Sb": b"2"})
    assert bench.pipeline.get(b"Sa") == b"1"
    assert bench.store.get(b"Sa") is None
    bench.submit(10, {b"Sb": None})
    assert bench.pipeline.get_many([b"Sa", b"Sb", b"Sc"]) == [b"1", None, None]
    bench.writer.may_answer.set()
    await bench.pipeline.drained()
    assert bench.store.get_many([b"Sa", b"Sb"]) == [b"1", None]
    assert bench.pipeline.get_many([b"Sa", b"Sb"]) == [b"1", None]


async def test_what_waits_while_a_batch_is_under_way_goes_out_as_one() -> None:
    bench = Bench()
    bench.submit(9, {b"Sa": b"1"})
    await asyncio.sleep(0)
    bench.submit(19, {b"Sa": b"2"})
    bench.submit(29, {b"Sa": b"3"})
    bench.writer.may_answer.set()
    await bench.pipeline.drained()
    assert [dict(batch)[b"Sa"] for batch in bench.writer.batches] == [b"1", b"3"]
    assert bench.events[-3:] == ["ack 19", "ack 29", "told 3"]
    assert bench.store.marker(SOURCE) == Marker(29, 7)


async def test_the_marker_travels_in_the_batch_behind_the_rows() -> None:
    bench = Bench()
    bench.writer.may_answer.set()
    bench.submit(9, {b"Sa": b"1"})
    await bench.pipeline.drained()
    keys = [key for key, _ in bench.writer.batches[0]]
    assert keys == [b"Sa", b"\x00source\x00station-status"]
    assert bench.pipeline.applied_offset(SOURCE) == 9


async def test_a_changelog_that_does_not_answer_is_a_failure_and_acknowledges_nothing() -> None:
    bench = Bench()
    bench.writer.failure = OSError("broker gone")
    bench.writer.may_answer.set()
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
    bench.writer.may_answer.set()
    bench.submit(9, {b"Sa": b"1"})
    await bench.pipeline.drained()
    again = Pipeline("changelog", 0, bench.store, bench.writer, lambda *_: None, lambda *_: None, 2)
    assert again.applied_offset(SOURCE) == 9
    assert again.applied_offset("station-status-rerouted") == -1


async def test_remembered_states_are_bounded_and_the_oldest_goes_first() -> None:
    pipeline = Bench().pipeline
    pipeline.remember(b"a", 1)
    pipeline.remember(b"b", 2)
    assert pipeline.cached(b"a") == 1
    pipeline.remember(b"c", 3)
    assert (pipeline.cached(b"a"), pipeline.cached(b"b"), pipeline.cached(b"c")) == (1, None, 3)


async def test_steps_that_do_not_fit_one_record_batch_go_out_one_after_the_other() -> None:
    bench = Bench()
    bench.submit(1, {b"S0": b""})
    await asyncio.sleep(0)
    for number in range(2, 6):
        bench.submit(number, {f"S{number}".encode(): b"x" * 400_000})
    bench.writer.may_answer.set()
    await bench.pipeline.drained()
    assert [sum(key[:1] == b"S" for key, _ in batch) for batch in bench.writer.batches] == [1, 2, 2]
    assert [event for event in bench.events if event.startswith("ack")] == [
        f"ack {number}" for number in range(1, 6)
    ]
