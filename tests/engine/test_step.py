"""What a step does with the records of its chunk."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import pytest
from rocksdict import DbClosedError

from evcharge.dead_letters.made import dead_letter
from evcharge.engine.chunk import Chunk, FirstArrival, SourceRecord
from evcharge.engine.counters import Counters
from evcharge.engine.pipeline import Pipeline
from evcharge.engine.row_cache import RowCache
from evcharge.engine.step import Step
from evcharge.events.rejection import Reason, Rejected
from evcharge.kafka.batches import MAX_RECORD_BYTES
from evcharge.kafka.memory_log import MemoryLog
from evcharge.kafka.partitioning import Partitioner
from evcharge.storage.errors import DamagedStoreError, DiskFailedError
from evcharge.storage.partition_store import MemoryPartition, PartitionStore
from evcharge.storage.rocks_partition import RocksPartition
from tests.storage.damage import with_a_damaged_file

TOPIC = "station-status"
PARTITIONS = Partitioner(4)
HERE = PARTITIONS.partition_of("EV-001")


class Said(NamedTuple):
    station_id: str
    text: str
    partition: int
    offset: int


def texts(step: Step) -> list[str]:
    """Return what the records say, whatever their station."""
    return [
        said.text for _, group in step.decode(decoder, attrgetter("station_id")) for said in group
    ]


def decoder(records: Sequence[SourceRecord]) -> list[Said | Rejected]:
    """``station text`` is valid, anything else is not."""
    decoded: list[Said | Rejected] = []
    for record in records:
        parts = (record.value or b"").decode().split()
        if len(parts) == 2:
            station, text = parts
            decoded.append(Said(station, text, record.partition, record.offset))
        else:
            decoded.append(Rejected(Reason.NOT_JSON, "two words were expected"))
    return decoded


def nothing(*_: object) -> None:
    pass


class FailingPartition(MemoryPartition):
    """Rows that cannot be read."""

    def __init__(self, problem: Exception) -> None:
        super().__init__()
        self.problem = problem

    def get(self, key: bytes) -> bytes | None:
        if key.startswith(b"S"):
            raise self.problem
        return super().get(key)


class Bench:
    def __init__(self, store: PartitionStore | None = None) -> None:
        self.counters = Counters()
        self.log = MemoryLog()
        writer = self.log.writer("changelog", HERE)
        cached = RowCache(1 << 20).partition()
        self.pipeline = Pipeline(
            "changelog", HERE, store or MemoryPartition(), writer, nothing, nothing, cached
        )

    def step(self, *values: str, first: int = 0, topic: str = TOPIC) -> Step:
        records = [
            FirstArrival(b"k", value.encode(), 1_700_000_000_000, HERE, first + number)
            for number, value in enumerate(values)
        ]
        return self.step_of(records, topic)

    def step_of(self, records: Sequence[FirstArrival], topic: str = TOPIC) -> Step:
        return Step(
            Chunk(topic, HERE, records),
            self.pipeline,
            PARTITIONS,
            partial(dead_letter, "dead-letters"),
            self.counters,
        )


def test_valid_records_of_this_partition_are_returned_in_order() -> None:
    step = Bench().step("EV-001 a", "EV-001 b")
    assert texts(step) == ["a", "b"]
    assert step.finish().outputs == []


def test_records_are_grouped_by_key_in_the_order_of_their_arrival() -> None:
    near = next(s for n in range(99) if PARTITIONS.partition_of(s := f"X-{n}") == HERE)
    step = Bench().step(f"{near} a", "EV-001 b", f"{near} c", "junk", "EV-001 d")
    groups = step.decode(decoder, attrgetter("station_id"))
    assert [(key, [said.text for said in group]) for key, group in groups] == [
        (near, ["a", "c"]),
        ("EV-001", ["b", "d"]),
    ]


@pytest.mark.parametrize("strange", [-1, -(2**63), 253_402_300_800_000, 2**63 - 1])
def test_its_time_is_that_of_the_last_record_with_a_time_that_can_be_true(strange: int) -> None:
    def now_us(*timestamps: int) -> int:
        records = [FirstArrival(b"k", b"", at, HERE, n) for n, at in enumerate(timestamps)]
        return Bench().step_of(records).now_us

    assert now_us(1, 2) == now_us(1, 2, strange, strange) == 2_000
    assert now_us(strange) == 0


def test_a_rejected_record_goes_to_dead_letters_as_it_came() -> None:
    step = Bench().step("EV-001 a", "junk")
    assert texts(step) == ["a"]
    (letter,) = step.finish().outputs
    assert (letter.topic, letter.partition, letter.key, letter.value) == (
        "dead-letters",
        HERE,
        b"k",
        b"junk",
    )
    headers = dict(letter.headers)
    assert headers["reason"] == b"not-json"
    assert headers["offset"] == b"1"


def test_a_record_of_another_partitions_station_is_forwarded() -> None:
    foreign = next(s for n in range(99) if PARTITIONS.partition_of(s := f"X-{n}") != HERE)
    step = Bench().step(f"{foreign} a")
    assert texts(step) == []
    (forwarded,) = step.finish().outputs
    assert forwarded.topic == "station-status-rerouted"
    assert forwarded.partition == PARTITIONS.partition_of(foreign)


def test_one_that_is_too_large_to_be_forwarded_is_a_dead_letter() -> None:
    # somebody else wrote it into the rerouted topic: a device's fits
    foreign = next(s for n in range(99) if PARTITIONS.partition_of(s := f"X-{n}") != HERE)
    large = FirstArrival(bytes(MAX_RECORD_BYTES - 150), f"{foreign} a".encode(), 0, HERE, 0)
    step = Bench().step_of([large], "station-status-rerouted")
    assert texts(step) == []
    (letter,) = step.finish().outputs
    assert (letter.topic, dict(letter.headers)["reason"]) == ("dead-letters", b"too-large")


def test_of_mixed_records_those_of_strangers_go_in_order_and_the_others_are_counted() -> None:
    strangers = [s for n in range(99) if PARTITIONS.partition_of(s := f"X-{n}") != HERE][:2]
    one, other = strangers
    bench = Bench()
    step = bench.step(f"{one} a", "EV-001 b", f"{one} c", f"{other} d", "junk", "EV-001 e")
    assert texts(step) == ["b", "e"]
    forwarded = [out for out in step.finish().outputs if out.topic == "station-status-rerouted"]
    assert [(out.value, out.partition) for out in forwarded] == [
        (f"{one} a".encode(), PARTITIONS.partition_of(one)),
        (f"{one} c".encode(), PARTITIONS.partition_of(one)),
        (f"{other} d".encode(), PARTITIONS.partition_of(other)),
    ]
    counted = bench.counters.values
    assert counted["records_accepted", TOPIC] == 2
    assert counted["records_rerouted", TOPIC] == 3


async def test_records_that_were_applied_before_are_left_out() -> None:
    bench = Bench()
    bench.pipeline.submit(bench.step("EV-001 a", "EV-001 b").finish())
    await bench.pipeline.drained()
    step = bench.step("EV-001 b", "EV-001 c", first=1)
    assert texts(step) == ["c"]


async def test_a_chunk_from_before_what_was_applied_is_refused() -> None:
    bench = Bench()
    bench.pipeline.submit(bench.step("EV-001 a", "EV-001 b", "EV-001 c").finish())
    # the last one again changes nothing
    assert texts(bench.step("EV-001 c", first=2)) == []
    with pytest.raises(RuntimeError, match=r"applied up to 2, and comes again up to 1"):
        bench.step("EV-001 new", "EV-001 newer")
    assert bench.pipeline.applied_offset(TOPIC) == 2
    await bench.pipeline.drained()


async def test_a_topic_made_anew_is_applied_from_its_beginning() -> None:
    bench = Bench()
    bench.pipeline.submit(bench.step("EV-001 a", "EV-001 b", "EV-001 c").finish())
    await bench.pipeline.drained()
    bench.pipeline.forget_source(TOPIC)
    assert texts(bench.step("EV-001 new")) == ["new"]


async def test_each_source_topic_is_counted_on_its_own() -> None:
    bench = Bench()
    bench.pipeline.submit(bench.step("EV-001 a", "EV-001 b").finish())
    await bench.pipeline.drained()
    step = bench.step("EV-001 c", topic="station-status-rerouted")
    assert texts(step) == ["c"]


def test_a_state_is_encoded_once_when_the_step_ends() -> None:
    bench, encoded = Bench(), []
    step = bench.step("EV-001 a")

    def encode(state: str) -> bytes:
        encoded.append(state)
        return state.encode()

    step.put_state(b"S1", "one", encode)
    step.put_state(b"S1", "two", encode)
    assert step.state(b"S1", bytes.decode) == "two"
    assert step.finish().rows == {b"S1": b"two"}
    assert encoded == ["two"]


async def test_a_later_step_sees_the_state_that_is_not_durable_yet() -> None:
    bench = Bench()
    step = bench.step("EV-001 a")
    step.put_state(b"S1", "one", str.encode)
    bench.pipeline.submit(step.finish())
    assert bench.step("EV-001 b", first=1).state(b"S1", bytes.decode) == "one"


def test_a_rule_that_raises_for_one_record_is_run_for_each_alone() -> None:
    bench = Bench()
    applied: list[str] = []
    near = next(s for n in range(99) if PARTITIONS.partition_of(s := f"X-{n}") == HERE)
    step = bench.step("EV-001 a", "EV-001 bad", "EV-001 c", f"{near} d")

    def rule(_: Step, __: str, said: Sequence[Said]) -> None:
        if any(each.text == "bad" for each in said):
            raise ValueError("a bug of ours")
        applied.extend(each.text for each in said)

    step.apply_all(rule, step.decode(decoder, attrgetter("station_id")))

    assert applied == ["a", "c", "d"]
    (letter,) = step.finish().outputs
    assert (letter.value, dict(letter.headers)["reason"]) == (b"EV-001 bad", b"rule-failed")


def read_row(step: Step, _: str, __: Sequence[Said]) -> None:
    step.state(b"SEV-001", bytes.decode)


@pytest.mark.parametrize(
    "problem",
    [
        DamagedStoreError(Path("/data"), "Corruption: block checksum mismatch"),
        DiskFailedError(Path("/data"), "IO error: Input/output error"),
        DbClosedError("DB instance already closed"),
        OSError(24, "Too many open files"),
        MemoryError(),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_a_store_that_cannot_be_read_voids_the_step_and_rejects_nothing(
    problem: Exception,
) -> None:
    step = Bench(FailingPartition(problem)).step("EV-001 a", "EV-001 b")
    with pytest.raises(type(problem)) as raised:
        step.apply_all(read_row, step.decode(decoder, attrgetter("station_id")))
    assert raised.value is problem
    assert step.effects.outputs == []


async def test_rows_damaged_under_a_step_void_it_and_are_restored_after_the_next_start(
    tmp_path: Path,
) -> None:
    # given rows in a file in which, since it was opened, something else is than was written
    store = with_a_damaged_file(tmp_path, {b"SEV-001": b"one", b"SEV-002": b"two"}, 41)
    step = Bench(store).step("EV-001 a", "EV-001 b")
    # when a rule comes to it
    with pytest.raises(DamagedStoreError):
        step.apply_all(read_row, step.decode(decoder, attrgetter("station_id")))
    # then no record was rejected, and the next start finds nothing: all of it is read again
    assert step.effects.outputs == []
    store.close()
    again = RocksPartition(store.path)
    assert (again.changelog_offset(), again.get(b"SEV-002")) == (None, None)
    again.close()


async def test_what_was_applied_is_counted_when_it_is_durable() -> None:
    bench = Bench()
    step = bench.step("EV-001 a", "junk", "EV-001 c")
    texts(step)
    effects = step.finish()
    assert bench.counters.values["records_applied", TOPIC] == 0
    bench.pipeline.submit(effects)
    await bench.pipeline.drained()
    assert bench.counters.values["records_applied", TOPIC] == 2
    assert bench.counters.values["records_rejected", f"{TOPIC},not-json"] == 1
