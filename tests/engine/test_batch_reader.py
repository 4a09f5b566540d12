"""Records are read from a fetch as aiokafka reads them, only many at a time."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import (
    READ_COMMITTED,
    READ_UNCOMMITTED,
    FetchResult,
    PartitionRecords,
)
from aiokafka.errors import CorruptRecordException
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evcharge.engine.batch_reader import take
from tests.engine.seen_record import seen
from tests.odd_batches import GZIP, LZ4, SNAPPY, ZSTD, OddRecord, builder
from tests.stored_batches import MARKERS, Kind, StoredBatch, StoredRecord

PLACE = TopicPartition("t", 3)
Take = Callable[[Any, int], Sequence[Any]]


class Partition:
    """A partition of an assignment, and what was fetched of it."""

    def __init__(
        self,
        data: bytes,
        *,
        position: int = 0,
        aborted: Sequence[tuple[int, int]] = (),
        isolation: int = READ_COMMITTED,
    ) -> None:
        self.state = SimpleNamespace(paused=False, position=position)
        self.state.consumed_to = lambda offset: setattr(self.state, "position", offset)
        self.assignment = SimpleNamespace(active=True, state_value=lambda _tp: self.state)
        self.fetched = FetchResult(
            PLACE,
            assignment=self.assignment,
            partition_records=PartitionRecords(
                PLACE,
                MemoryRecords(data),
                list(aborted),
                position,
                key_deserializer=None,
                value_deserializer=None,
                check_crcs=True,
                isolation_level=isolation,
            ),
            backoff=0,
        )


def told(partition: Partition, take_from: Take, sizes: Sequence[int]) -> list[Any]:
    """Return what is handed out in turns of so many records, and where the partition then stands."""
    turns: list[Any] = []
    for size in [*sizes, *[7] * 100]:
        if not partition.fetched.has_more():
            return turns
        records = [seen(record) for record in take_from(partition.fetched, size)]
        turns.append((records, partition.state.position, partition.fetched.has_more()))
    raise AssertionError("it never ends")


def plain(fetched: Any, most: int) -> Sequence[Any]:
    records: Sequence[Any] = fetched.getall(most)
    return records


def numbered(base: int, count: int, kind: Kind = Kind.PLAIN, producer: int = -1) -> StoredBatch:
    records = [StoredRecord(n, 5, b"k", b"%d" % (base + n)) for n in range(count)]
    return StoredBatch(base, count, records, kind, producer)


ONE_ABORTED_ONE_COMMITTED = [
    numbered(0, 4, Kind.TRANSACTIONAL, 1),
    numbered(4, 4, Kind.TRANSACTIONAL, 2),
    StoredBatch(8, 1, (), Kind.ABORT, 1),
    numbered(9, 4, Kind.TRANSACTIONAL, 1),
    StoredBatch(13, 1, (), Kind.COMMIT, 1),
    numbered(14, 4, Kind.TRANSACTIONAL, 2),
    StoredBatch(18, 1, (), Kind.COMMIT, 2),
]


texts = st.binary(max_size=3)
headers = st.lists(st.tuples(st.text(max_size=2), st.none() | texts), max_size=2)


@st.composite
def logs(draw: st.DrawFn) -> list[StoredBatch]:
    """Batches one behind the other, with gaps between and in them."""
    batches, base = [], draw(st.integers(0, 3))
    for kind in draw(st.lists(st.sampled_from(Kind), max_size=8)):
        offsets = 1 if kind in MARKERS else draw(st.integers(1, 9))
        kept = [n for n in range(offsets) if draw(st.booleans())]
        records = [
            StoredRecord(
                n,
                draw(st.integers(0, 1 << 40)),
                draw(st.none() | texts),
                draw(st.none() | texts),
                draw(headers),
            )
            for n in kept
        ]
        producer = draw(st.integers(-1 if kind is Kind.PLAIN else 1, 2))
        # An empty batch that is compressed is nothing that Kafka makes.
        codec = draw(st.sampled_from([0, GZIP, SNAPPY, LZ4, ZSTD])) if kept else 0
        batches.append(
            StoredBatch(base, offsets, records, kind, producer, codec, draw(st.booleans()))
        )
        base += offsets + draw(st.sampled_from([0, 0, 0, 5]))
    return batches


@settings(max_examples=400, deadline=None)
@given(
    logs(),
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(1, 2), st.integers(0, 40)), max_size=4),
    st.sampled_from([READ_COMMITTED, READ_UNCOMMITTED]),
    st.lists(st.integers(1, 12), max_size=10),
    st.binary(max_size=70),
)
@example([numbered(0, 9)], 4, [], READ_COMMITTED, [3], b"")
@example(ONE_ABORTED_ONE_COMMITTED, 0, [(1, 0)], READ_COMMITTED, [3], b"")
def test_it_hands_out_what_aiokafka_does_and_stands_where_it_does(
    batches: list[StoredBatch],
    position: int,
    aborted: list[tuple[int, int]],
    isolation: int,
    sizes: list[int],
    cut_off: bytes,
) -> None:
    data = b"".join(batch.encode() for batch in batches)
    # Kafka may cut off the last batch anywhere.
    data += numbered(1_000, 9).encode()[: len(cut_off)]

    def fetch() -> Partition:
        return Partition(data, position=position, aborted=aborted, isolation=isolation)

    assert told(fetch(), take, sizes) == told(fetch(), plain, sizes)


def test_an_aborted_transaction_is_passed_and_the_next_one_of_its_producer_is_not() -> None:
    data = b"".join(batch.encode() for batch in ONE_ABORTED_ONE_COMMITTED)
    partition = Partition(data, aborted=[(1, 0)])
    offsets = [record.offset for record in take(partition.fetched, 99)]
    assert offsets == [*range(4, 8), *range(9, 13), *range(14, 18)]
    assert partition.state.position == 19


def test_records_of_kafkas_older_formats_are_read_too() -> None:
    data = b""
    for magic, codec in ((1, 0), (1, GZIP)):
        legacy = LegacyRecordBatchBuilder(magic=magic, compression_type=codec, batch_size=9_999)
        for offset in range(5):
            legacy.append(offset, timestamp=7 + offset, key=b"k", value=b"v" * 50)
        data += bytes(legacy.build())
    assert told(Partition(data), take, [2]) == told(Partition(data), plain, [2])


def test_what_lies_before_a_name_that_is_no_text_can_be_had_and_nothing_is_passed() -> None:
    odd = OddRecord(b"odd", [(b"\xff", b"x")])
    data = bytes(builder([*[OddRecord(b"%d" % n) for n in range(5)], odd, OddRecord(b"6")]).build())
    partition = Partition(data)
    assert [record.offset for record in take(partition.fetched, 4)] == [0, 1, 2, 3]
    for _ in range(2):
        with pytest.raises(UnicodeDecodeError):
            take(partition.fetched, 4)
        assert partition.state.position == 4
        assert not partition.fetched.has_more(), "it must be fetched again"
        assert take(partition.fetched, 4) == []
        partition.fetched._partition_records = Partition(
            data, position=4
        ).fetched._partition_records


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("position", [7, 0], ids=["read on", "positioned elsewhere"])
def test_what_was_fetched_is_freed_at_once_when_it_is_not_needed_any_more(position: int) -> None:
    partition = Partition(numbered(0, 9).encode())
    unread = weakref.ref(partition.fetched._partition_records)
    assert len(take(partition.fetched, 7)) == 7
    partition.state.position = position
    assert unread() is not None
    take(partition.fetched, 7)
    assert not partition.fetched.has_more()
    assert unread() is None, "a worker's garbage collector comes seldom"


@pytest.mark.parametrize("damaged_at", [-1, -5, 70])
def test_damaged_bytes_are_refused_and_the_partition_stays_before_them(damaged_at: int) -> None:
    damaged = bytearray(numbered(9, 9).encode())
    damaged[damaged_at] ^= 1
    partition = Partition(numbered(0, 9).encode() + bytes(damaged))
    assert len(take(partition.fetched, 9)) == 9
    with pytest.raises(CorruptRecordException):
        take(partition.fetched, 9)
    assert partition.state.position == 9
    assert not partition.fetched.has_more()


@pytest.mark.parametrize(
    "change",
    [
        lambda partition: setattr(partition.assignment, "active", False),
        lambda partition: setattr(partition.state, "paused", True),
        lambda partition: setattr(partition.state, "position", 2),
        lambda partition: setattr(partition.state, "position", 8),
    ],
    ids=["taken away", "paused", "seek back", "seek forward"],
)
@pytest.mark.parametrize("taken", [0, 5])
def test_what_was_fetched_is_dropped_when_the_partition_is_not_read_on(
    change: Callable[[Partition], None], taken: int
) -> None:
    partition = Partition(numbered(0, 9).encode())
    if taken:
        assert len(take(partition.fetched, taken)) == taken
    change(partition)
    position = partition.state.position
    assert take(partition.fetched, 9) == []
    assert partition.state.position == position
    assert not partition.fetched.has_more()
