"""Record batches hold what they were given, as few of them as can."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st

from evcharge.kafka.batches import MAX_BATCH_BYTES, Identity, Record, in_batches, size_alone

HEADERS = st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=5), st.binary()))
RECORDS = st.lists(st.tuples(st.none() | st.binary(), st.none() | st.binary(), HEADERS))


def built(records: Sequence[Record], *, transactional: bool = False) -> list[bytes]:
    batches = list(in_batches(records, transactional=transactional))
    encoded = [batch.build(Identity(7, 3), 11) for batch in batches]
    assert [batch.count for batch in batches] == [len(contents(each)) for each in encoded]
    return encoded


def contents(batch: bytes) -> list[Record]:
    return [(r.key, r.value, r.headers) for r in DefaultRecordBatch(batch)]


@given(records=RECORDS, transactional=st.booleans())
def test_a_batch_holds_the_records_in_order_and_says_who_appends(
    records: list[Record], transactional: bool
) -> None:
    batches = built(records, transactional=transactional)
    assert len(batches) == bool(records)
    for batch in batches:
        read = DefaultRecordBatch(batch)
        assert read.validate_crc()
        assert (read.producer_id, read.producer_epoch, read.base_sequence) == (7, 3, 11)
        assert read.is_transactional == transactional
        assert read.last_offset_delta == len(records) - 1
        assert [r.offset for r in DefaultRecordBatch(batch)] == list(range(len(records)))
        assert contents(batch) == records


def test_the_record_that_does_not_fit_any_more_begins_the_next_batch() -> None:
    records: list[Record] = [
        (b"%d" % number, bytes(MAX_BATCH_BYTES // 3), []) for number in range(7)
    ]
    batches = built(records)
    assert [len(contents(batch)) for batch in batches] == [2, 2, 2, 1]
    assert [record for batch in batches for record in contents(batch)] == records
    assert all(len(batch) <= MAX_BATCH_BYTES for batch in batches)


def test_a_record_larger_than_a_batch_has_one_of_its_own() -> None:
    large = bytes(2 * MAX_BATCH_BYTES)
    batches = built([(b"a", b"1", []), (b"b", large, []), (b"c", b"2", []), (b"d", b"3", [])])
    assert [[key for key, _, _ in contents(batch)] for batch in batches] == [
        [b"a"],
        [b"b"],
        [b"c", b"d"],
    ]


NULLABLE = st.none() | st.binary()


@given(NULLABLE, NULLABLE, st.lists(st.tuples(st.text(st.characters(codec="utf-8")), NULLABLE)))
def test_alone_a_record_is_not_larger_than_is_said(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    (batch,) = built([(key, value, headers)], transactional=True)
    said = size_alone(key, value, headers)
    assert said - 100 - 10 * len(headers) <= len(batch) <= said


def test_nor_is_a_very_large_one() -> None:
    record: Record = (bytes(1 << 22), bytes(1 << 22), [("n" * (1 << 21), bytes(1 << 21))])
    (batch,) = built([record])
    assert len(batch) <= size_alone(*record)
