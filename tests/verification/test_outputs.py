"""The checker of dead letters and rerouted records: each has to be there once, byte for byte."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any, NamedTuple

import pytest

from evcharge.dead_letters.headers import dead_letter_headers
from evcharge.domain.session_record import SessionRecord
from evcharge.engine.forwarding import forward
from evcharge.events.decode import decode_charging_sessions
from evcharge.kafka.partitioning import Partitioner
from evcharge.storage.partition_store import Marker
from evcharge.verification.outputs import ExpectedOutputs, Output, Place
from evcharge.verification.report import Report
from evcharge.verification.sources import (
    Sorting,
    Source,
    place_of_dead_letter,
    place_of_rerouted,
)
from tests.events.arrivals import CLOSED, MAX_BYTES, NOON_MS

TOPIC = "p.charging-sessions"
PARTITIONER = Partitioner(4)
HOME = PARTITIONER.partition_of("EV-001")
AWAY = (HOME + 1) % 4


class Record(NamedTuple):
    """A record as a Kafka client hands it out."""

    key: bytes | None
    value: bytes | None
    partition: int
    offset: int
    headers: tuple[tuple[str, bytes | None], ...] = (("trace", b"1"), ("reason", b"theirs"))
    timestamp: int = NOON_MS


class Checked:
    """The checker after it has read some device records."""

    def __init__(self, *records: Record, again: bool = False) -> None:
        self.report = Report()
        self.dead_letters = ExpectedOutputs("dead-letters", self.report)
        self.rerouted = ExpectedOutputs("rerouted", self.report)
        self.source: Source[SessionRecord] = Source()
        sorting = Sorting(
            TOPIC,
            lambda each: decode_charging_sessions(each, max_bytes=MAX_BYTES),
            PARTITIONER,
            self.dead_letters,
            self.rerouted,
        )
        sorting.sort(self.source, records[0].partition, records, again=again)

    def finds(self, dead_letters: list[Record], rerouted: list[Record]) -> list[str]:
        for record in dead_letters:
            self.dead_letters.see(place_of_dead_letter(record), record.offset, output(record))
        for record in rerouted:
            self.rerouted.see(place_of_rerouted(TOPIC, record), record.offset, output(record))
        self.dead_letters.finish()
        self.rerouted.finish()
        return sorted(f"{where} {sort}" for where, sort in self.report.differences.elements())


def output(record: Record) -> Output:
    return Output(record.partition, record.key, record.value, record.headers)


JUNK = Record(b"k", b"no json", HOME, 7)
OURS = Record(b"EV-001", json.dumps(CLOSED).encode(), HOME, 8)
FOREIGN = OURS._replace(partition=AWAY, offset=3)


def letter_of(record: Record, **changes: Any) -> Record:
    """Return the dead letter as the program makes it."""
    headers = dead_letter_headers(
        "not-json", "The value is not JSON.", TOPIC, record.partition, record.offset, record.headers
    )
    # the detail as the decoder words it
    [rejected] = decode_charging_sessions([record], max_bytes=MAX_BYTES)
    headers[-4] = ("detail", str(rejected[1]).encode())
    return record._replace(headers=tuple(headers), offset=0)._replace(**changes)


def rerouted(record: Record, **changes: Any) -> Record:
    """Return the forwarded record as the program makes it."""
    sent = forward(record, f"{TOPIC}-rerouted", HOME)
    return record._replace(
        partition=HOME, offset=0, headers=tuple(sent.headers), timestamp=NOON_MS + 5000
    )._replace(**changes)


def test_a_record_that_is_accepted_causes_nothing_elsewhere() -> None:
    checked = Checked(OURS)

    assert len(checked.source.accepted) == 1
    assert checked.source.last == Marker(8, NOON_MS)
    assert checked.finds([], []) == []


def test_a_dead_letter_that_is_there_once_is_equal() -> None:
    assert Checked(JUNK).finds([letter_of(JUNK)], []) == []


def test_a_missing_dead_letter_is_found() -> None:
    assert Checked(JUNK).finds([], []) == ["dead-letters missing"]


def test_a_dead_letter_that_is_there_twice_is_found() -> None:
    twice = [letter_of(JUNK), letter_of(JUNK, offset=1)]

    assert Checked(JUNK).finds(twice, []) == ["dead-letters repeated"]


@pytest.mark.parametrize(
    "change",
    [
        {"key": None},
        {"value": b"no json!"},
        {"partition": AWAY},
        {"headers": letter_of(JUNK).headers[1:]},
        {"headers": (*letter_of(JUNK).headers[:-1], ("offset", b"07"))},
    ],
    ids=str,
)
def test_a_dead_letter_that_differs_is_found(change: dict[str, Any]) -> None:
    assert Checked(JUNK).finds([letter_of(JUNK, **change)], []) == ["dead-letters changed"]


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (*letter_of(JUNK).headers[:-1], ("offset", b"8")),
        (*letter_of(JUNK).headers[:-1], ("offset", b"8" * 5_000)),
    ],
    ids=["none", "another place", "more digits than Python reads"],
)
def test_a_dead_letter_of_nothing_is_found(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    surplus = letter_of(JUNK, headers=headers)

    assert Checked(OURS).finds([surplus], []) == ["dead-letters surplus"]


def test_a_rerouted_record_that_is_there_once_is_equal() -> None:
    assert Checked(FOREIGN).finds([], [rerouted(FOREIGN)]) == []


def test_missing_repeated_and_surplus_rerouted_records_are_found() -> None:
    there = rerouted(FOREIGN)

    assert Checked(FOREIGN).finds([], []) == ["rerouted missing"]
    assert Checked(FOREIGN).finds([], [there, there]) == ["rerouted repeated"]
    assert Checked(OURS).finds([], [there]) == ["rerouted surplus"]
    assert Checked(OURS).finds([], [OURS]) == ["rerouted surplus"]


def test_a_rerouted_record_that_differs_is_found() -> None:
    for change in ({"value": b"{}"}, {"partition": AWAY}, {"key": b"k"}):
        checked = Checked(FOREIGN)
        assert checked.finds([], [rerouted(FOREIGN, **change)]) == ["rerouted changed"], change


def test_a_difference_names_the_field_and_says_what_is_there() -> None:
    checked = Checked(FOREIGN)
    checked.finds([], [rerouted(FOREIGN, key=b"k", partition=AWAY)])

    _, line = checked.report.lines()
    assert line.strip() == (
        f"the record at {AWAY}/0 about {TOPIC}/{AWAY}/3: it should be in partition {HOME},"
        " its key should not be b'k'"
    )


def test_of_what_has_to_be_there_only_a_digest_is_kept() -> None:
    outputs = ExpectedOutputs("dead-letters", Report())
    tracemalloc.start()
    try:
        for offset in range(100):
            outputs.add(Place(TOPIC, 0, offset), Output(0, b"k", bytes(100_000), ()))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 100_000


def test_a_rerouted_record_counts_as_it_first_arrived() -> None:
    checked = Checked(rerouted(FOREIGN, offset=5), again=True)

    [record] = checked.source.accepted
    assert (record.partition, record.offset, record.ingest_us) == (AWAY, 3, NOON_MS * 1000)
    # the marker counts in the topic that it was read from
    assert checked.source.last == Marker(5, NOON_MS + 5000)
    assert checked.finds([], []) == []


@pytest.mark.parametrize("last", [JUNK, FOREIGN], ids=["junk", "a foreign record"])
def test_the_time_of_a_source_is_that_of_its_latest_record_whatever_it_is(last: Record) -> None:
    later = last._replace(timestamp=NOON_MS + 86_400_000)
    odd = [last._replace(timestamp=at_ms) for at_ms in (-1, 1 << 62)]

    assert Checked(last, later, last, *odd).source.now_us == later.timestamp * 1_000
    assert Checked(*odd).source.now_us == 0


def test_the_time_of_a_rerouted_record_is_that_of_its_forwarding() -> None:
    checked = Checked(rerouted(FOREIGN, offset=5), again=True)

    assert checked.source.now_us == (NOON_MS + 5000) * 1_000


def test_what_a_stranger_wrote_to_a_rerouted_topic_is_taken_as_it_is() -> None:
    checked = Checked(OURS, again=True)

    [record] = checked.source.accepted
    assert (record.partition, record.offset) == (HOME, 8)


def test_what_came_from_a_partition_that_is_left_out_is_counted_and_not_compared() -> None:
    checked = Checked(FOREIGN, JUNK._replace(partition=AWAY, offset=5))
    for outputs in (checked.dead_letters, checked.rerouted):
        outputs.leave_out(TOPIC, AWAY)

    changed = rerouted(FOREIGN, value=b"{}")
    assert checked.finds([letter_of(FOREIGN), letter_of(JUNK)], [changed, changed]) == [
        "dead-letters surplus"
    ]
    assert checked.report.unchecked == {"records of dead-letters": 1, "records of rerouted": 2}
    assert checked.report.compared == {"records of dead-letters": 1}


def test_what_has_to_be_in_a_partition_that_is_left_out_is_not_missed() -> None:
    for topic, partition, missing in (
        (TOPIC, HOME, []),
        (TOPIC, (AWAY + 1) % 4, ["rerouted missing"]),
        ("p.station-status", HOME, ["rerouted missing"]),
    ):
        checked = Checked(FOREIGN)
        checked.rerouted.leave_out(topic, partition)
        assert checked.finds([], []) == missing, (topic, partition)


def test_two_places_are_told_apart() -> None:
    assert str(Place(TOPIC, 3, 7)) == "p.charging-sessions/3/7"
