"""What a Python peer does with an event: the same job as everybody's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from bench.events import Fleet, Topic
from bench.figures.billing import BILLED, FREE, OFF
from bench.peers.job import (
    State,
    advance_session,
    advance_station,
    arguments,
    read_session_event,
    read_status,
    session_key,
)
from bench.preload import Stream
from bench.programs import Evcharge, Job, Peer
from bench.sampler import ROOT, owner
from evcharge.settings import Settings


def job_of(prefix: str = "p.", name: str = "run") -> Job:
    return Job(Stream("127.0.0.1:9092", prefix, 2, 3, {}, 0), name, Path("scratch"))


def test_each_session_that_ended_has_one_output_with_all_of_its_records() -> None:
    fleet = Fleet(50)
    sessions: dict[str, State] = {}
    records: dict[str, int] = {}
    outputs = []
    for events in (fleet.fill(), fleet.mixed(5_000)):
        for topic, _, value in events:
            if topic is Topic.SESSIONS:
                event = read_session_event(value)
                key = session_key(event)
                sessions[key], output = advance_session(sessions.get(key), event)
                records[key] = records.get(key, 0) + 1
                if output is not None:
                    outputs.append(json.loads(output))

    assert len(outputs) == fleet.ended
    for output in outputs:
        assert output["records"] == records[f"{output['station_id']}/{output['session_id']}"]
        assert output["ended_us"] > output["started_us"]
        assert "held" not in output


def test_the_last_word_of_a_connector_wins_and_an_older_one_changes_nothing() -> None:
    def status(second: int, word: str) -> State:
        return read_status(
            json.dumps(
                {"station_id": "A", "timestamp": f"2026-01-01T00:00:{second:02}Z", "status": word}
            ).encode()
        )

    known = advance_station(None, status(5, "free"))

    assert known is not None
    assert known["1"][0] == "free"
    assert advance_station(known, status(4, "faulted")) is None
    later = advance_station(known, status(6, "occupied"))
    assert later is not None
    assert later["1"][0] == "occupied"


@pytest.mark.parametrize(
    "value",
    [b"{}", b"[]", b'{"station_id":"A B","timestamp":"2026-01-01T00:00:00Z","status":"free"}'],
)
def test_an_invalid_event_ends_a_peer(value: bytes) -> None:
    with pytest.raises(ValidationError):
        read_status(value)


def test_a_peer_reads_what_it_is_told() -> None:
    peer = Peer("some peer", ("run",), "exactly-once")
    job = job_of(prefix="p.", name="run7")

    told = arguments(peer.command(job)[1:])

    assert (told.prefix, told.group, told.guarantee) == ("p.", "run7", "exactly-once")
    assert told.output == peer.output_topic(job)


def test_a_peer_that_warms_up_has_a_second_output() -> None:
    job = job_of()
    warm = Peer("peer", ("run",), "at-least-once", job.stream)

    assert len(warm.topics(job)) == 2
    assert "--warm-prefix=p." in warm.command(job)


@pytest.mark.parametrize(
    ("file", "room"),
    [
        ("evcharge/engine/lane.py", "evcharge/engine"),
        ("evcharge/worker.py", "evcharge/worker"),
        ("agents/charging_sessions.py", "agents"),
        ("bench/sampler.py", None),
    ],
)
def test_cpu_time_is_put_down_to_a_room(file: str, room: str | None) -> None:
    assert owner(str(ROOT / file)) == room


def test_cpu_time_of_a_library_is_put_down_to_it() -> None:
    assert owner("/somewhere/site-packages/aiokafka/client.py") == "aiokafka"
    assert owner("/usr/lib/python3.11/selectors.py") is None


def test_evcharge_bills_where_the_figure_is_about_billing_and_nowhere_else() -> None:
    switched = {
        program.name: Settings.from_env(program.variables(job_of())).billing
        for program in (Evcharge(), OFF, FREE, BILLED)
    }
    assert list(switched.values()) == [False, False, True, True]
