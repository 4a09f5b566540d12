"""The dead letter of a record."""

from __future__ import annotations

import pytest

from evcharge.dead_letters.headers import parse_headers
from evcharge.dead_letters.made import dead_letter
from evcharge.engine.chunk import FirstArrival
from evcharge.events.rejection import Reason, Rejected
from evcharge.kafka.batches import MAX_RECORD_BYTES, size_alone
from evcharge.kafka.log import Output

JUNK = Rejected(Reason.NOT_JSON, "It is no JSON.")


def letter_of(record: FirstArrival) -> Output:
    letter = dead_letter("dead-letters", "charging-sessions", 2, record, JUNK)
    assert size_alone(*letter[2:]) <= MAX_RECORD_BYTES
    return letter


def test_a_dead_letter_has_the_bytes_that_came() -> None:
    letter = letter_of(FirstArrival(b"k", b"junk", 0, 3, 17, [("a", None)]))
    assert letter[:4] == ("dead-letters", 2, b"k", b"junk")
    origin = parse_headers(letter.headers)
    assert origin == ("not-json", "It is no JSON.", "charging-sessions", 3, 17, (("a", None),))


@pytest.mark.parametrize(
    "record",
    [
        FirstArrival(b"k", bytes(MAX_RECORD_BYTES - 200), 0, 3, 17),
        FirstArrival(bytes(MAX_RECORD_BYTES - 200), b"v", 0, 3, 17),
        FirstArrival(b"k", b"v", 0, 3, 17, [("n" * (MAX_RECORD_BYTES - 200), None)]),
        FirstArrival(b"k", b"v", 0, 3, 17, [("n", b"")] * (MAX_RECORD_BYTES // 11)),
    ],
    ids=["value", "key", "name of a header", "headers"],
)
def test_of_a_record_that_does_not_fit_it_says_why_and_where_it_was(record: FirstArrival) -> None:
    letter = letter_of(record)
    assert letter[:4] == ("dead-letters", 2, None, None)
    origin = parse_headers(letter.headers)
    assert (origin.reason, origin[2:]) == ("not-json", ("charging-sessions", 3, 17, ()))
    assert origin.detail is not None
    assert origin.detail.startswith("It is no JSON. Its 8,38")
    assert origin.detail.endswith(" bytes do not fit here and are left where they were.")
