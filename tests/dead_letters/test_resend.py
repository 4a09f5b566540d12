"""Where a dead letter goes back to."""

from __future__ import annotations

from evcharge.dead_letters.headers import DeadLetterOrigin
from evcharge.dead_letters.letter import DeadLetter
from evcharge.dead_letters.resend import redriven
from evcharge.kafka.partitioning import Partitioner

PARTITIONS = {"station-status": 8}


def letter(
    topic: str | None = "station-status",
    partition: int | None = 3,
    key: bytes | None = b"EV-001",
    headers: tuple[tuple[str, bytes], ...] = (),
) -> DeadLetter:
    origin = DeadLetterOrigin("not-json", "d", topic, partition, 17, headers)
    return DeadLetter(1, 5, 0, origin, key, b"\x00junk\xff")


def test_a_keyed_record_goes_to_the_partition_of_its_key() -> None:
    output = redriven(letter(), PARTITIONS)
    assert output is not None
    assert (output.topic, output.key, output.value) == (
        "station-status",
        b"EV-001",
        b"\x00junk\xff",
    )
    assert output.partition == Partitioner(8).partition_of("EV-001")


def test_a_record_without_a_key_goes_back_to_its_partition() -> None:
    output = redriven(letter(key=None), PARTITIONS)
    assert output is not None
    assert output.partition == 3


def test_a_partition_that_cannot_be_is_brought_into_range() -> None:
    for partition in (None, 11):
        output = redriven(letter(key=None, partition=partition), PARTITIONS)
        assert output is not None
        assert output.partition in range(8)


def test_its_own_headers_stay_and_it_says_where_it_comes_from() -> None:
    output = redriven(letter(headers=(("trace", b"1"), ("trace", b"2"))), PARTITIONS)
    assert output is not None
    assert output.headers == [("trace", b"1"), ("trace", b"2"), ("redriven-from", b"1:5")]


def test_a_second_redrive_replaces_the_note_of_the_first() -> None:
    output = redriven(letter(headers=(("redriven-from", b"0:0"),)), PARTITIONS)
    assert output is not None
    assert output.headers == [("redriven-from", b"1:5")]


def test_nothing_is_sent_to_a_topic_that_is_not_a_devices() -> None:
    for topic in ("invoices", "__consumer_offsets", "", None):
        assert redriven(letter(topic=topic), PARTITIONS) is None
