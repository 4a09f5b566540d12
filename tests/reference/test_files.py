"""Stations and tariffs in JSON files."""

from __future__ import annotations

import json

import pytest

from evcharge.errors import CommandError
from evcharge.reference.files import Entry, Invalid, read_entries
from evcharge.topics.catalogue import STATIONS, TARIFFS

STATION = '{"station_id": "EV-001", "latitude": 52.50, "longitude": 13.4}'
TARIFF = (
    '{"id": "T1", "currency": "EUR", "last_updated": "2024-01-01T00:00:00Z", "elements":'
    ' [{"price_components": [{"type": "ENERGY", "price": 0.10000000000000000001}]}]}'
)


def entries(text: str | bytes) -> list[Entry | Invalid]:
    return list(read_entries("file.json", text if isinstance(text, bytes) else text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        f"{STATION}{TARIFF}",
        f"{STATION}\n{TARIFF}\n",
        f"[{STATION},{TARIFF}]",
        f" [ {STATION} ,\r\n\t{TARIFF} ] \n",
        f"\ufeff[{STATION},{TARIFF}]",
    ],
    ids=["side by side", "JSON lines", "array", "spacious array", "byte order mark"],
)
def test_objects_are_recognised_by_their_fields_however_they_are_put(text: str) -> None:
    found = entries(text)
    assert [(e.topic, e.key) for e in found if isinstance(e, Entry)] == [
        (STATIONS, "EV-001"),
        (TARIFFS, "T1"),
    ]
    assert len(found) == 2


def test_numbers_are_published_with_the_digits_of_the_file() -> None:
    (entry,) = entries(json.dumps([1]).replace("1", TARIFF))
    assert isinstance(entry, Entry)
    assert b'"price":0.10000000000000000001' in entry.value


def test_white_space_outside_of_texts_is_left_out_and_inside_kept() -> None:
    (entry,) = entries('{ "station_id" : "A",\n "name" : "a \\" b  c\\\\" }')
    assert isinstance(entry, Entry)
    assert entry.value == b'{"station_id":"A","name":"a \\" b  c\\\\"}'


def test_an_empty_array_and_an_empty_file_hold_nothing() -> None:
    assert entries("[]") == entries(" [ ] ") == entries("") == entries(" \n") == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"station_id":"A","latitude":91,"longitude":0}', "latitude"),
        ('{"station_id":"A","connectors":[{"connector_id":1},{"connector_id":0}]}', "connectors"),
        ('{"id":"T","elements":[{}],"currency":"EUR"}', "last_updated"),
        ('{"name":"A"}', "neither a station"),
        ("7", "not an object"),
        ('"text"', "not an object"),
    ],
)
def test_an_invalid_object_is_named_with_its_number_and_field(text: str, problem: str) -> None:
    good, bad = entries(f"[{STATION},{text}]")
    assert isinstance(good, Entry)
    assert isinstance(bad, Invalid)
    assert bad.where == "file.json, object 2"
    assert problem in str(bad)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"\xff\xfe", "not UTF-8"),
        ("[", "line 1, column 2"),
        ("[1,]", "line 1, column 4"),
        ("[1 2]", "Expecting ',' or ']'"),
        ("[1] 2", "Extra data"),
        ('{"a":1}\n{"b"', "line 2"),
        ("nonsense", "line 1, column 1"),
        ("[" * 100_000, "too deeply"),
        ("[" + "9" * 10_000 + "]", "absurd length"),
    ],
)
def test_what_is_not_json_is_one_sentence_with_its_place(text: str | bytes, problem: str) -> None:
    with pytest.raises(CommandError, match=r"^file\.json ") as refused:
        entries(text)
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_tariff_whose_bills_would_be_too_large_is_named_before_it_is_published() -> None:
    (found,) = entries(f'{TARIFF[:-1]}, "x": "{"y" * 500_000}"}}')
    assert str(found).startswith("file.json, object 1: The tariff has 500,")


def test_an_object_that_is_too_large_for_its_topic_is_named_before_it_is_published() -> None:
    found = entries(f'{STATION}{{"station_id": "EV-002", "more": "{"x" * 1_048_576}"}}')
    assert [str(one) for one in found if isinstance(one, Invalid)] == [
        "file.json, object 2: has 1,048,609 bytes, more than the 1,048,470 that a record can have"
    ]
