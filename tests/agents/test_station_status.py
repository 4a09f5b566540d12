"""The agent of ``station-status``: what it writes to its table and to the changelog."""

from __future__ import annotations

from typing import Any

from evcharge.domain.station_state import ConnectorWord, StationState, advance_station
from evcharge.domain.status_report import Status
from evcharge.testing import NOW_MS, MemoryWorker
from tables.station_status import decode_station, encode_station, station_key


def said(station_id: str, status: str, minute: int, **more: Any) -> dict[str, Any]:
    return {
        "station_id": station_id,
        "timestamp": f"2023-05-01T10:{minute:02}:00Z",
        "status": status,
        **more,
    }


async def test_the_last_status_of_a_connector_is_kept(evcharge_worker: MemoryWorker) -> None:
    await evcharge_worker.send(
        "station-status", said("EV-001", "free", 1), said("EV-001", "occupied", 2)
    )
    state = evcharge_worker.state.station("EV-001")
    assert state is not None
    assert [(w.connector_id, w.status, w.heard_us) for w in state.words] == [
        (1, Status.OCCUPIED, NOW_MS * 1000)
    ]


async def test_the_changelog_gets_one_row_a_station_and_chunk(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send(
        "station-status",
        said("EV-001", "free", 1),
        said("EV-001", "occupied", 2),
        said("EV-001", "free", 3),
    )
    home = evcharge_worker.state.partition_of("EV-001")
    rows = evcharge_worker.changelog("station-status", home)
    assert [key for key, _ in rows] == [station_key("EV-001"), b"\x00source\x00station-status"]
    assert rows[0][1] is not None
    assert decode_station(rows[0][1]) == evcharge_worker.state.station("EV-001")


async def test_an_older_report_changes_nothing_but_the_sign_of_life(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("station-status", said("EV-001", "occupied", 9))
    await evcharge_worker.send(
        "station-status", said("EV-001", "free", 5), timestamp_ms=NOW_MS + 60_000
    )
    state = evcharge_worker.state.station("EV-001")
    assert state is not None
    assert state.words[0].status == Status.OCCUPIED
    assert state.words[0].heard_us == (NOW_MS + 60_000) * 1000


async def test_a_report_that_changes_nothing_writes_no_row(evcharge_worker: MemoryWorker) -> None:
    report = said("EV-001", "occupied", 9)
    await evcharge_worker.send("station-status", report)
    before = len(evcharge_worker.changelog("station-status"))
    await evcharge_worker.send("station-status", report)
    added = evcharge_worker.changelog("station-status")[before:]
    assert [key for key, _ in added] == [b"\x00source\x00station-status"]


async def test_a_rejected_report_is_a_dead_letter_with_its_bytes_and_reason(
    evcharge_worker: MemoryWorker,
) -> None:
    junk = b'{"station_id":"EV-001","status":"melting","timestamp":"2023-05-01T10:00:00Z"}'
    await evcharge_worker.send("station-status", junk, key=b"EV-001", partition=2)
    (letter,) = evcharge_worker.dead_letters
    assert (letter.key, letter.value) == (b"EV-001", junk)
    headers = dict(letter.headers)
    assert headers["reason"] == b"bad-value"
    assert b"status" in (headers["detail"] or b"")
    assert (headers["topic"], headers["partition"], headers["offset"]) == (
        b"station-status",
        b"2",
        b"0",
    )


async def test_a_report_in_another_partition_reaches_the_one_of_its_station(
    evcharge_worker: MemoryWorker,
) -> None:
    home = evcharge_worker.state.partition_of("EV-001")
    elsewhere = (home + 1) % 4
    await evcharge_worker.send("station-status", said("EV-001", "occupied", 2), partition=elsewhere)
    assert evcharge_worker.state.station("EV-001") is not None
    assert [(o.topic, o.partition) for o in evcharge_worker.outputs] == [
        ("station-status-rerouted", home)
    ]
    keys = {key for key, _ in evcharge_worker.changelog("station-status", elsewhere)}
    assert keys == {b"\x00source\x00station-status"}


async def test_a_chunk_that_was_applied_is_not_applied_again(
    evcharge_worker: MemoryWorker,
) -> None:
    await evcharge_worker.send("station-status", said("EV-001", "occupied", 2))
    home = evcharge_worker.state.partition_of("EV-001")
    pipeline = evcharge_worker.app.lane.pipeline(
        evcharge_worker.app.table_of("station-status"), home
    )
    assert pipeline.applied_offset("station-status") == 0
    before = evcharge_worker.app.lane.counters.values["records_accepted", "station-status"]
    evcharge_worker.rewind("station-status", home)
    await evcharge_worker.send("station-status", said("EV-001", "free", 30))
    assert evcharge_worker.app.lane.counters.values["records_accepted", "station-status"] == before
    state = evcharge_worker.state.station("EV-001")
    assert state is not None
    assert state.words[0].status == Status.OCCUPIED


async def test_a_rule_that_raises_costs_only_the_record_that_it_raises_for(
    evcharge_worker: MemoryWorker, monkeypatch: Any
) -> None:

    def buggy(state: Any, reports: Any) -> Any:
        if any(report.status == Status.FAULTED for report in reports):
            raise ZeroDivisionError
        return advance_station(state, reports)

    monkeypatch.setattr("agents.station_status.advance_station", buggy)
    await evcharge_worker.send(
        "station-status",
        said("EV-001", "free", 1),
        said("EV-001", "faulted", 2),
        said("EV-001", "reserved", 3),
    )
    state = evcharge_worker.state.station("EV-001")
    assert state is not None
    assert state.words[0].status == Status.RESERVED
    (letter,) = evcharge_worker.dead_letters
    assert dict(letter.headers)["reason"] == b"rule-failed"
    assert b'"faulted"' in (letter.value or b"")


def test_a_row_is_what_was_stored() -> None:
    state = StationState(
        (
            ConnectorWord(0, Status.UNAVAILABLE, 5, 4, 6),
            ConnectorWord(2, Status.FAULTED, 10**15, 1, 2, "GroundFailure"),
        )
    )
    assert decode_station(encode_station(state)) == state
