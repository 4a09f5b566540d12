"""Converting many events at once changes nothing: each says what it says alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evcharge.domain.quantities import MAX_INSTANT_US, InexactError
from evcharge.domain.session_record import SessionRecord
from evcharge.events.chunk import ChunkDecoder
from evcharge.events.decode import CHARGING_SESSIONS
from evcharge.events.many import FEW
from evcharge.events.quick import DoubtError
from evcharge.events.received import Received
from evcharge.events.rejection import RefusedError, Rejected
from evcharge.events.session_records import SessionFields, session_record, session_updates
from tests.events.arrivals import CLOSED, END, MAX_BYTES, NOON_MS, START, UPDATE, Arrival

ONE_BY_ONE = replace(CHARGING_SESSIONS, many=None)

NUMBERS = st.one_of(
    st.none(),
    st.integers(0, 100),
    st.decimals(0, 100, places=3).map(float),
    st.floats(0, 100),
    st.sampled_from([0.0, -0.0, 1e-9, 2e-10, 1e9, 1125899.906842624, 12.34567890123]),
)
INSTANTS = st.sampled_from(
    [
        *("2023-05-01T10:15:30Z", "2023-05-01T10:15:30.250+02:00", "2023-05-01T10:15:30.123456Z"),
        *("2023-05-02T12:00:00Z", "2023-05-02T12:00:00.001Z", "2016-12-31T23:59:60Z"),
        *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "2023-05-01T10:15:30", "soon"),
    ]
)
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(["energy_kwh", "meter_kwh", "power_kw", "current_a", "soc_percent"], NUMBERS),
    **dict.fromkeys(["timestamp", "start_time", "end_time"], INSTANTS),
    **dict.fromkeys(["duration_s", "duration"], NUMBERS),
    **dict.fromkeys(["user_id", "event_id", "reservation_id", "reason"], st.just("x")),
    **dict.fromkeys(["charging", "correction"], st.none() | st.booleans()),
    "seq": st.none() | st.integers(-(2**63), 2**63 - 1),
    "connector_id": st.none() | st.integers(1, 1000),
    "event": st.sampled_from(["session_pause", "session_start", "session_update", None]),
}


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """A valid event, in which a few members may be others, or odd."""
    event = dict(draw(st.sampled_from([START, UPDATE, UPDATE, UPDATE, END, CLOSED])))
    for name in draw(st.sets(st.sampled_from(sorted(MEMBERS)), max_size=3)):
        event[name] = draw(MEMBERS[name])
    return event


ARRIVALS = st.builds(
    Arrival,
    events().map(lambda event: json.dumps(event).encode()),
    st.sampled_from([NOON_MS] * 9 + [NOON_MS + 1, -1, 0, MAX_INSTANT_US // 1000 + 1]),
    st.integers(0, 7),
    st.integers(0, 2**63 - 1),
)
USUAL_EVENTS: list[dict[str, Any]] = [UPDATE, START, UPDATE, UPDATE, END, UPDATE, {**CLOSED}]
USUAL = [
    Arrival(json.dumps(event | {"event_id": f"e{n}", "seq": n}).encode(), NOON_MS + n, 3, n)
    for n, event in enumerate(USUAL_EVENTS * 9)
]


def read(records: list[Arrival]) -> list[SessionFields]:
    events = CHARGING_SESSIONS._read(records, MAX_BYTES)
    assert events is not None
    return events


@settings(print_blob=True, deadline=None)
@given(odd=st.lists(ARRIVALS, max_size=12), at=st.integers(0, len(USUAL)))
@example(odd=[], at=0)
def test_every_chunk_says_the_same_at_once_as_one_by_one(odd: list[Arrival], at: int) -> None:
    chunk = USUAL[:at] + odd + USUAL[at:]
    assert len(chunk) > FEW
    found = CHARGING_SESSIONS.decode(chunk, MAX_BYTES)
    assert found == ONE_BY_ONE.decode(chunk, MAX_BYTES)
    assert list(map(type, found)) == list(map(type, ONE_BY_ONE.decode(chunk, MAX_BYTES)))


@settings(print_blob=True, deadline=None)
@given(st.lists(ARRIVALS, max_size=5))
def test_updates_are_converted_as_one_is_or_not_at_all(chunk: list[Arrival]) -> None:
    pairs = [
        (event, record)
        for record in chunk
        for event in CHARGING_SESSIONS._read([record], MAX_BYTES) or ()
        if event.event == "session_update"
    ]
    try:
        said = session_updates([event for event, _ in pairs], [record for _, record in pairs])
    except (DoubtError, InexactError):
        return
    alone = [session_record(event, record) for event, record in pairs]
    assert [tuple(map(repr, each)) for each in said] == [tuple(map(repr, each)) for each in alone]
    assert said == alone


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"event_id": "e-1", "seq": 7, "power_kw": 11, "soc_percent": 55.5, "connector_id": 2},
        {"meter_kwh": 400_883.123, "current_a": -16.1, "charging": False, "user_id": "U1"},
        {"energy_kwh": None, "timestamp": "2016-12-31T23:59:59.999999+02:00"},
        {"reservation_id": "R1", "start_time": "no time", "reason": "x", "correction": True},
    ],
)
def test_usual_updates_need_no_second_look(members: dict[str, Any]) -> None:
    values = [json.dumps(UPDATE).encode(), json.dumps(UPDATE | members).encode()]
    chunk = [Arrival(value) for value in values * 250]
    events = read(chunk)
    assert session_updates(events, chunk) == [
        session_record(event, record) for event, record in zip(events, chunk, strict=True)
    ]


def test_of_events_of_all_kinds_the_usual_are_converted_at_once() -> None:
    at_once, alone = [], []

    def convert(
        events: Sequence[SessionFields], records: Sequence[Received]
    ) -> list[SessionRecord]:
        at_once.append(len(events))
        return session_updates(events, records)

    def one_by_one(
        events: Sequence[SessionFields], records: Sequence[Received]
    ) -> list[SessionRecord | Rejected]:
        alone.append(len(events))
        return [*map(session_record, events, records)]

    assert CHARGING_SESSIONS.many is not None
    many = replace(CHARGING_SESSIONS.many, convert=convert)
    found = many.outcomes(read(USUAL), USUAL, one_by_one)

    assert found == ONE_BY_ONE.decode(USUAL, MAX_BYTES)
    assert (at_once, alone) == ([36], [27])


@pytest.mark.parametrize("error", [DoubtError, InexactError, ZeroDivisionError])
def test_what_cannot_be_converted_at_once_is_looked_at_in_pieces(error: type[Exception]) -> None:
    sizes = []

    def convert(
        events: Sequence[SessionFields], records: Sequence[Received]
    ) -> list[SessionRecord]:
        sizes.append(len(events))
        if any(record.offset == 777 for record in records):
            raise error
        return session_updates(events, records)

    assert CHARGING_SESSIONS.many is not None
    decoder: ChunkDecoder[Any, Any] = replace(
        CHARGING_SESSIONS, many=replace(CHARGING_SESSIONS.many, convert=convert)
    )
    value = json.dumps(UPDATE).encode()
    chunk = [Arrival(value, offset=500 + n) for n in range(500)]

    assert decoder.decode(chunk, MAX_BYTES) == ONE_BY_ONE.decode(chunk, MAX_BYTES)
    assert sizes == [500, 63, 63, 63, 63, 63, 63, 63, 59]


def test_an_event_that_is_refused_has_its_reason_among_many() -> None:
    late = "2023-05-02T12:00:01Z"
    values = [json.dumps(UPDATE).encode()] * 99
    values[50] = json.dumps(UPDATE | {"timestamp": late}).encode()
    found = CHARGING_SESSIONS.decode([Arrival(value) for value in values], MAX_BYTES)

    with pytest.raises(RefusedError) as refused:
        session_record(read([Arrival(values[50])])[0], Arrival(values[50]))
    assert found[50] == refused.value.rejected
    assert all(isinstance(each, SessionRecord) for each in found[:50] + found[51:])
