"""Stations and tariffs in JSON files, checked as a whole before anything is published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from evcharge.errors import CommandError
from evcharge.events.rejection import Rejected
from evcharge.events.stations import parse_station
from evcharge.events.tariffs import parse_tariff
from evcharge.topics.catalogue import STATIONS, TARIFFS, Topic

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING_OR_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', re.DOTALL)

_RECORD_OVERHEAD = 100
"""Bytes that Kafka's format adds at most to one record without headers, alone in its batch."""


class Entry(NamedTuple):
    """One valid object of a file, ready to be published."""

    topic: Topic
    key: str
    value: bytes
    """As written in the file but for white space: numbers keep every digit."""


class Invalid(NamedTuple):
    """One object of a file that cannot be published."""

    where: str
    """The file, and the object's number in it from 1."""
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"


def read_entries(name: str, content: bytes) -> Iterator[Entry | Invalid]:
    """Yield what a file holds: an object, an array of objects, or objects one after another.

    ``name`` is what the file is called in messages.

    Raises:
        CommandError: the file is not JSON.
    """
    for number, (text, value) in enumerate(_objects(name, content), start=1):
        entry = _entry(text, value)
        yield Invalid(f"{name}, object {number}", entry) if isinstance(entry, str) else entry


def _entry(text: str, value: object) -> Entry | str:
    """Return an object as what it is, or what is wrong with it."""
    if not isinstance(value, dict):
        return "not an object"
    compact = _STRING_OR_SPACE.sub(r"\1", text).encode()
    if "station_id" in value:
        station = parse_station(compact)
        if isinstance(station, Rejected):
            return station.detail
        return _sized(Entry(STATIONS, station.station_id, compact))
    if "id" in value and "elements" in value:
        tariff = parse_tariff(compact)
        return (
            tariff.detail
            if isinstance(tariff, Rejected)
            else _sized(Entry(TARIFFS, tariff.tariff.tariff_id, compact))
        )
    return "neither a station (station_id) nor a tariff (id and elements)"


def _sized(entry: Entry) -> Entry | str:
    """Return an entry, or that its topic would not take it."""
    most = entry.topic.max_record_bytes - _RECORD_OVERHEAD - len(entry.key)
    if len(entry.value) > most:
        return f"has {len(entry.value):,} bytes, more than the {most:,} that a record can have"
    return entry


def _objects(name: str, content: bytes) -> Iterator[tuple[str, object]]:
    """Yield each object's text and value."""
    try:
        text = content.decode("utf-8-sig")
        position = _skip_space(text, 0)
        if text[position : position + 1] != "[":
            while position < len(text):
                value, end = _DECODER.raw_decode(text, position)
                yield text[position:end], value
                position = _skip_space(text, end)
            return
        position = _skip_space(text, position + 1)
        more = text[position : position + 1] != "]"
        while more:
            value, end = _DECODER.raw_decode(text, position)
            yield text[position:end], value
            position = _skip_space(text, end)
            more = text[position : position + 1] == ","
            if more:
                position = _skip_space(text, position + 1)
            elif text[position : position + 1] != "]":
                raise json.JSONDecodeError("Expecting ',' or ']'", text, position)
        position = _skip_space(text, position + 1)
        if position < len(text):
            raise json.JSONDecodeError("Extra data after the array", text, position)
    except UnicodeDecodeError as problem:
        raise CommandError(f"{name} is not UTF-8 text (byte {problem.start})") from None
    except json.JSONDecodeError as problem:
        raise CommandError(
            f"{name} is not JSON: {problem.msg} in line {problem.lineno}, column {problem.colno}"
        ) from None
    except (RecursionError, ValueError):
        raise CommandError(f"{name} nests too deeply or has an integer of absurd length") from None


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
