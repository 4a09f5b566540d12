"""What devices sent for a closed session, and in which order."""

from __future__ import annotations

import json
from decimal import Decimal
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcharge.domain.quantities import format_timestamp
from evcharge.errors import CommandError
from evcharge.replay.closed_sessions import ClosedSession
from evcharge.replay.device_events import DeviceEvent, in_time_order, survey


def session(line: int, start_s: int, end_s: int, **facts: object) -> ClosedSession:
    values: dict[str, object] = {
        "line": line,
        "session_id": f"S{line}",
        "station_id": "EV-1",
        "start_time": format_timestamp(start_s * 1_000_000),
        "end_time": format_timestamp(end_s * 1_000_000),
        "energy_kwh": "1.0",
        "user_id": None,
        "connector_id": None,
        "start_us": start_s * 1_000_000,
        "end_us": end_s * 1_000_000,
    }
    return ClosedSession(**(values | facts))  # type: ignore[arg-type]


def events(*sessions: ClosedSession) -> list[DeviceEvent]:
    return list(in_time_order(lambda: sessions, survey(sessions)))


def told(event: DeviceEvent) -> str:
    """`start S1`, `end S1`, `occupied`, `free`."""
    value = json.loads(event.value)
    if event.topic == "station-status":
        return str(value["status"])
    return f"{value['event'].removeprefix('session_')} {value['session_id']}"


def test_plug_in_and_unplug_are_told_in_the_order_of_the_contract() -> None:
    assert [told(event) for event in events(session(1, 10, 20))] == [
        *("start S1", "occupied"),
        *("end S1", "free"),
    ]


def test_each_event_says_all_that_the_row_states_under_the_names_of_the_contract() -> None:
    row = session(1, 10, 20, energy_kwh="5.60", user_id="U1", connector_id=2)

    values = [json.loads(event.value, parse_float=Decimal) for event in events(row)]

    start, end = "1970-01-01T00:00:10Z", "1970-01-01T00:00:20Z"
    same = {"session_id": "S1", "station_id": "EV-1", "connector_id": 2, "user_id": "U1"}
    status = {"station_id": "EV-1", "connector_id": 2}
    assert values == [
        same | {"event": "session_start", "timestamp": start},
        status | {"timestamp": start, "status": "occupied"},
        same
        | {"event": "session_end", "timestamp": end, "start_time": start}
        | {"energy_kwh": Decimal("5.60")},
        status | {"timestamp": end, "status": "free"},
    ]


def test_what_the_row_leaves_out_is_left_out() -> None:
    for event in events(session(1, 10, 20)):
        assert not {"user_id", "connector_id"} & json.loads(event.value).keys()


@pytest.mark.parametrize("energy", ["0", "5.60", "0.1", "3.3000000000000003", "1e1"])
def test_an_energy_keeps_the_digits_of_the_file(energy: str) -> None:
    end = events(session(1, 10, 20, energy_kwh=energy))[2]

    assert f'"energy_kwh":{energy}'.encode() in end.value


def test_a_car_that_leaves_as_the_next_one_comes_is_told_first() -> None:
    told_all = [told(event) for event in events(session(1, 10, 20), session(2, 20, 30))]

    assert told_all[2:6] == ["end S1", "free", "start S2", "occupied"]


def test_a_session_of_no_length_starts_before_it_ends_and_between_its_neighbours() -> None:
    rows = (session(1, 20, 30), session(2, 20, 20), session(3, 10, 20))

    assert [told(event) for event in events(*rows)][2:8] == [
        *("end S3", "free"),
        *("start S2", "occupied", "end S2", "free"),
    ]


def test_a_session_that_ends_before_it_starts_is_told_at_the_times_it_states() -> None:
    assert [told(event) for event in events(session(1, 20, 10))] == [
        *("end S1", "free"),
        *("start S1", "occupied"),
    ]


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_reading_a_sorted_file_as_a_stream_gives_the_order_of_sorting_everything(
    spans: list[tuple[int, int]], shuffler: object
) -> None:
    # given sessions in the order of their first instants, which are streamed
    rows = sorted((session(n, *span) for n, span in enumerate(spans)), key=attrgetter("first_us"))
    rows = [session(n, r.start_us // 10**6, r.end_us // 10**6) for n, r in enumerate(rows)]
    assert survey(rows).in_order

    streamed = events(*rows)

    # then every event is there once, in time order, ends before starts at one instant
    assert len(streamed) == 4 * len(rows)
    assert len(set(map(told_with_time, streamed))) >= 2 * len(rows)
    assert [e.at_us for e in streamed] == sorted(e.at_us for e in streamed)
    # and the same as from a file in another order
    shuffled = list(rows)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    assert events(*shuffled) == streamed


def told_with_time(event: DeviceEvent) -> tuple[int, str]:
    return event.at_us, told(event)


def test_a_survey_counts_and_finds_the_ends_of_time() -> None:
    contents = survey([session(1, 20, 90), session(2, 10, 30), session(3, 50, 40)])

    assert contents.sessions == 3
    assert (contents.first_us, contents.last_us) == (10_000_000, 90_000_000)
    assert not contents.in_order
    assert contents.backwards == 1


def test_a_file_without_a_session_is_refused() -> None:
    with pytest.raises(CommandError, match="holds no session"):
        survey([])
