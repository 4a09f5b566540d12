"""Effects become durable in order, all or none, and readers of the partition see them at once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence

import pytest

from evcharge.engine.pipeline import Effects, Pipeline
from evcharge.engine.row_cache import RowCache
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

    def __init__(self, cached_bytes: int = 1 << 20) -> None:
        self.cached_bytes = cached_bytes
        self.events: list[str] = []
        self.failures: list[str] = []
        self.writer = SlowWriter(self.events)
        self.store = LoggingStore(self.events)
        self.restart()

    def restart(self) -> None:
        self.pipeline = Pipeline(
            "changelog",
            0,
            self.store,
            self.writer,
            lambda offset, _: self.events.append(f"told {offset}"),
            lambda why, _: self.failures.append(why),
            RowCache(self.cached_bytes).partition(),
        )

    def submit(self, offset: int, rows: dict[bytes, bytes | None], *topics: str) -> None:
        outputs = [Output(topic, 0, None, b"x") for topic in topics]
        self.pipeline.submit(
            Effects(
                SOURCE,
                Marker(offset, 7),
                rows,
                {},
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
    bench.restart()
    again = bench.pipeline
    assert again.applied_offset(SOURCE) == 9
    assert again.applied_offset("station-status-rerouted") == -1


async def test_a_state_that_was_written_is_read_without_asking_the_store() -> None:
    bench = Bench()
    bench.writer.may_answer.set()
    bench.pipeline.submit(Effects(SOURCE, Marker(9, 7), {b"Sa": b"1", b"R": b"2"}, {b"Sa": b"1"}))
    await bench.pipeline.drained()
    bench.store.rows.clear()
    assert bench.pipeline.get(b"Sa") == b"1"
    assert bench.pipeline.get(b"R") is None


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


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("cached_bytes", [0, 3_000, 1 << 20])
async def test_reads_see_what_the_last_step_wrote_whatever_is_durable_or_cached(
    seed: int, cached_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evcharge.engine.pipeline.BATCH_ROWS_BYTES", 2_000)
    monkeypatch.setattr("evcharge.engine.row_cache.JUDGED_ROWS", 30)
    chance = random.Random(seed)
    bench = Bench(cached_bytes)
    states, others = [[b"%c%d" % (kind, n) for n in range(20)] for kind in b"SR"]
    expected: dict[bytes, bytes | None] = {}
    for offset in range(200):
        new = {key: chance.randbytes(30) for key in chance.sample(states, chance.randrange(10))}
        rows: dict[bytes, bytes | None] = {
            **dict.fromkeys(chance.sample(others, chance.randrange(5))),
            **{key: chance.randbytes(30) for key in chance.sample(others, chance.randrange(5))},
            **new,
        }
        expected |= rows
        bench.pipeline.submit(Effects(SOURCE, Marker(offset, 7), rows, new))
        # A write begins, and is answered now or some steps later.
        await asyncio.sleep(0)
        if chance.random() < 0.3:
            bench.writer.may_answer.set()
            await asyncio.sleep(0)
            bench.writer.may_answer.clear()
        known = [expected.get(key) for key in states + others]
        assert [bench.pipeline.get(key) for key in states + others] == known
        assert bench.pipeline.get_many(states + others) == known
    bench.writer.may_answer.set()
    await bench.pipeline.drained()
    assert bench.store.get_many(states + others) == [expected.get(k) for k in states + others]
    assert bench.pipeline.get_many(states + others) == [expected.get(k) for k in states + others]
