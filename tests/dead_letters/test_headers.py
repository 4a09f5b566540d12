"""The headers of a dead letter."""

from __future__ import annotations

import pytest

from evcharge.dead_letters import dead_letter_headers, parse_headers


def test_headers_are_the_contracts_as_text() -> None:
    assert dead_letter_headers("not-json", "It is no JSON.", "station-status", 3, 17) == [
        ("reason", b"not-json"),
        ("detail", b"It is no JSON."),
        ("topic", b"station-status"),
        ("partition", b"3"),
        ("offset", b"17"),
    ]


def test_what_was_written_is_read_back() -> None:
    origin = parse_headers(dead_letter_headers("bad-value", "énergie", "t", 0, 2**40))
    assert origin[:5] == ("bad-value", "énergie", "t", 0, 2**40)
    assert origin.headers == ()


@pytest.mark.parametrize(
    "theirs",
    [
        [("trace", b"1"), ("trace", b"2")],
        [("reason", b"theirs"), ("offset", b"\xff")],
        [("", b""), ("detail", b"x" * 10_000), ("reason", b"a"), ("reason", b"b")],
    ],
)
def test_the_records_own_headers_come_back_whatever_their_names(
    theirs: list[tuple[str, bytes]],
) -> None:
    origin = parse_headers(dead_letter_headers("not-json", "d", "t", 1, 2, theirs))
    assert origin.headers == tuple(theirs)
    assert origin[:5] == ("not-json", "d", "t", 1, 2)


def test_a_dead_letter_of_a_dead_letter_keeps_both() -> None:
    inner = dead_letter_headers("not-json", "d", "t", 1, 2)
    outer = parse_headers(dead_letter_headers("too-large", "e", "u", 3, 4, inner))
    assert list(outer.headers) == inner


def test_headers_that_nobody_wrote_are_unknown() -> None:
    assert parse_headers([]) == (None, None, None, None, None, ())


@pytest.mark.parametrize("junk", [b"", b"-1", b"1.0", b"\xb2", b"9" * 19, b"\xd9\xa1"])
def test_a_place_that_is_no_number_is_unknown(junk: bytes) -> None:
    origin = parse_headers([("partition", junk), ("offset", junk)])
    assert (origin.partition, origin.offset) == (None, None)


def test_text_that_is_not_utf8_is_legible_all_the_same() -> None:
    assert parse_headers([("reason", b"a\xffb")]).reason == "a\\xffb"


def test_half_a_surrogate_pair_in_a_detail_does_no_harm() -> None:
    headers = dict(dead_letter_headers("bad-value", "\ud800", "t", 0, 0))
    assert headers["detail"] == b"\\ud800"
