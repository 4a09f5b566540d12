"""Header names of any bytes are read, and nothing else of a batch changes by it."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from evcharge.kafka.lenient_fetch import LenientBatches
from tests.odd_batches import GZIP, LZ4, SNAPPY, ZSTD, OddRecord, builder

PLAIN = [
    OddRecord(b"1", [("naïve".encode(), b"x"), (b"null", None)], b"k"),
    OddRecord(None, [], b"k" * 300),
    OddRecord(b"3", [(b"\x00", b"\xff")]),
]
ODD = OddRecord(b"\xff\xfe", [(b"caf\xe9", b"\xe9"), (b"caf\xc3\xa9", b"ok")], b"\xff")


def batch(*records: OddRecord, codec: int = 0) -> bytes:
    return bytes(builder(records, codec=codec).build())


def read(batches: Any) -> list[tuple[Any, ...]]:
    records = PartitionRecords(
        TopicPartition("t", 0),
        batches,
        aborted_transactions=[],
        fetch_offset=0,
        key_deserializer=None,
        value_deserializer=None,
        check_crcs=False,
        isolation_level=READ_COMMITTED,
    )
    return [(r.offset, r.timestamp, r.key, r.value, r.headers) for r in records]


def test_names_that_are_no_text_are_read_as_text_that_shows_their_bytes() -> None:
    [(_, _, key, value, headers)] = read(LenientBatches(batch(ODD)))
    assert (key, value) == (b"\xff", b"\xff\xfe")
    assert headers == (("caf\\xe9", b"\xe9"), ("café", b"ok"))


def test_aiokafka_still_needs_this() -> None:
    with pytest.raises(UnicodeDecodeError):
        read(MemoryRecords(batch(ODD)))


@pytest.mark.parametrize("codec", [0, GZIP, SNAPPY, LZ4, ZSTD])
def test_everything_else_is_read_as_aiokafka_reads_it(codec: int) -> None:
    data = batch(*PLAIN, *PLAIN * 50, codec=codec)
    assert read(LenientBatches(data)) == read(MemoryRecords(data))


def test_a_last_batch_that_was_cut_off_is_left_for_the_next_fetch() -> None:
    data = batch(*PLAIN)
    for cut in (1, 11, 12, 60, len(data) - 1):
        assert len(read(LenientBatches(data + data[:cut]))) == len(PLAIN)
    assert read(LenientBatches(b"")) == []


def test_damaged_bytes_are_refused() -> None:
    data = bytearray(batch(*PLAIN))
    data[-1] ^= 1
    with pytest.raises(CorruptRecordException):
        read(LenientBatches(bytes(data)))
