"""Dead letters as a person sees them."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from evcharge.dead_letters.headers import DeadLetterOrigin
from evcharge.dead_letters.letter import DeadLetter
from evcharge.dead_letters.listing import as_json, as_text, preview


def letter(**changes: object) -> DeadLetter:
    origin = DeadLetterOrigin("not-json", "It is no JSON.", "station-status", 3, 17, ())
    one = DeadLetter(1, 5, 1_700_000_000_123, origin, b"EV-001", b"{junk")
    return one._replace(**changes)  # type: ignore[arg-type]


def test_a_dead_letter_says_when_why_where_and_what() -> None:
    assert as_text(letter()) == (
        "2023-11-14 22:13:20.123Z  not-json  station-status 3:17  dead letter 1:5  key EV-001"
        "  5 bytes\n    It is no JSON.\n    {junk"
    )


def test_a_dead_letter_without_anything_is_shown_too() -> None:
    nothing = DeadLetterOrigin(None, None, None, None, None, ())
    assert as_text(letter(origin=nothing, key=None, value=None)) == (
        "2023-11-14 22:13:20.123Z  no reason  unknown topic ?:?  dead letter 1:5  no key  no value"
    )


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\x1b[2J\x07\r\n\x00", "\\x1b[2J\\x07\\r\\n\\x00"),
        ("a\u202eb\u2028\u200b".encode(), "a\\u202eb\\u2028\\u200b"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("Zürich 充電".encode(), "Zürich 充電"),
        (b"", ""),
    ],
)
def test_no_byte_reaches_the_terminal_as_a_command(data: bytes, shown: str) -> None:
    assert preview(data) == shown


def test_hostile_headers_are_escaped_too() -> None:
    hostile = DeadLetterOrigin("\x1b[31m", "a\nb", "\x07", 0, 0, ())
    assert as_text(letter(origin=hostile)).isprintable() is False  # line ends of ours only
    assert all(line.isprintable() for line in as_text(letter(origin=hostile)).split("\n"))
    assert "a\\nb" in as_text(letter(origin=hostile))


def test_a_long_value_is_cut() -> None:
    assert preview(b"x" * 1_000_000) == "x" * 120 + "…"
    assert preview("é".encode() * 120) == "é" * 120
    assert len(preview(b"\x00" * 100)) == 121


def test_a_program_gets_every_byte() -> None:
    value = bytes(range(256))
    found = json.loads(json.dumps(as_json(letter(value=value))))
    assert b64decode(found["value_base64"]) == value
    assert b64decode(found["key_base64"]) == b"EV-001"
    assert found["time"] == "2023-11-14T22:13:20.123Z"
    assert found["dead_letter"] == {"partition": 1, "offset": 5}
    assert (found["topic"], found["partition"], found["offset"]) == ("station-status", 3, 17)


@pytest.mark.parametrize("append_ms", [-(2**63), 2**63 - 1])
def test_a_time_that_no_clock_shows_is_shown_as_it_is(append_ms: int) -> None:
    absurd = letter(append_ms=append_ms)
    assert as_text(absurd).startswith(f"{append_ms} ms  not-json")
    assert as_json(absurd)["time"] == f"{append_ms} ms"
