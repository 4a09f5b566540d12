"""A record on its way to its own partition stays what it was when it first arrived."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from evcharge.engine.chunk import FirstArrival
from evcharge.engine.forwarding import forward, restore

FIRST = FirstArrival(b"EV-1", b'{"a":1}', 1_700_000_000_123, 5, 42, [("trace", b"x")])


def arrived(record: FirstArrival, headers: Sequence[tuple[str, bytes | None]]) -> FirstArrival:
    return replace(record, timestamp=1_800_000_000_000, partition=2, offset=7, headers=headers)


def test_a_forwarded_record_keeps_its_first_place_time_bytes_and_headers() -> None:
    output = forward(FIRST, "station-status-rerouted", 2)
    assert (output.topic, output.partition) == ("station-status-rerouted", 2)
    assert restore(arrived(FIRST, output.headers)) == FIRST


def test_a_foreign_record_in_a_rerouted_topic_is_taken_as_it_is() -> None:
    foreign = arrived(FIRST, [("trace", b"x")])
    assert restore(foreign) == foreign


def test_headers_that_are_no_numbers_are_not_ours() -> None:
    headers = [("source-partition", b"-1"), ("source-offset", b"x"), ("ingest-ms", b"9" * 40)]
    foreign = arrived(FIRST, headers)
    assert restore(foreign) == foreign


def test_a_header_of_our_name_may_be_null() -> None:
    device = replace(FIRST, headers=[("source-offset", None), ("source-partition", None)])
    output = forward(device, "station-status-rerouted", 2)
    assert restore(arrived(device, output.headers)) == device
    foreign = arrived(device, device.headers)
    assert restore(foreign) == foreign
