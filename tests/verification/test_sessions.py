"""The checker of the sessions' rows finds every kind of difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from evcharge.domain.session import fold
from evcharge.domain.session_record import SessionRecord, all_stored
from evcharge.reference.plans import default_document
from evcharge.verification.known import Checked
from evcharge.verification.papers import Papers
from evcharge.verification.reference import Reference
from evcharge.verification.report import Report
from evcharge.verification.rows import Rows, check_left
from evcharge.verification.session_sources import Sources
from evcharge.verification.sessions import check_sessions
from tables.charging_sessions import (
    PRESENT,
    SessionRow,
    append_records,
    block_key,
    decode_session,
    encode_records,
    encode_session,
    index_key,
    open_key,
    session_key,
)
from tables.closed_sessions import QUEUE_KEY, Completed, Queue, completed_key
from tests.agents.memory_step import SETTINGS, MemoryStep
from tests.domain.session_records import LIMITS, end, start, update

RECORDS = [start(), update(10, 1.0), update(20, 2.0)]
ENDED = [*RECORDS, end(60, 5.0)]
IDS = ("EV-001", "S1")
QUEUED = {
    QUEUE_KEY: msgspec.msgpack.encode(Queue(4, 5, 0)),
    completed_key(4): msgspec.msgpack.encode(Completed(0, [IDS])),
}
"""The rows that tell when to forget it."""


def rows_of(records: Sequence[SessionRecord]) -> dict[bytes, bytes]:
    """Return the rows as the agent writes them, one block for each record."""
    state = fold(records, LIMITS)
    rows = {
        session_key(*IDS): row_of(records, len(records)),
        index_key("S1", "EV-001"): PRESENT,
    }
    rows |= {block_key(*IDS, n): encode_records([each]) for n, each in enumerate(records)}
    if state.is_open:
        return rows | {open_key(*IDS): PRESENT}
    return rows | QUEUED


def row_of(records: Sequence[SessionRecord], blocks: int, **changed: Any) -> bytes:
    """Return the session's own row as the agent has it, with something changed in its state."""
    step = MemoryStep(LIMITS)
    for record in records:
        step.take(record)
    row = decode_session(step.rows[session_key(*IDS)])
    state = row.state._replace(**changed)
    return encode_session(SessionRow(blocks, state, 0, b"", row.account, row.completed_us))


def sealed_of(records: Sequence[SessionRecord]) -> Papers:
    """Return what the agent seals of these records."""
    step = MemoryStep(LIMITS)
    for record in records:
        step.take(record)
    return Papers([value for topic, value in step.emitted if topic == "sealed-sessions"])


def found(rows: dict[bytes, bytes], records: Sequence[SessionRecord]) -> list[str]:
    """Return the sorts of difference that the checker finds."""
    report = Report()
    looked_at = Rows(rows)
    check("here", looked_at, records, report)
    check_left("here", looked_at, report)
    assert report.equal == (not list(report.lines()))
    return sorted(sort for _, sort in report.differences.elements())


def check(where: str, rows: Rows, records: Sequence[SessionRecord], report: Report) -> Checked:
    reference = Reference(default_document(SETTINGS), SETTINGS.default_time_zone)
    own = [each for each in records if each.session_id == "S1"]
    sources = Sources.of(records, papers={IDS: sealed_of(own)})
    now_us = max(each.ingest_us for each in records)
    return check_sessions(where, rows, sources, reference, LIMITS, report, now_us=now_us)


@pytest.mark.parametrize("records", [RECORDS, ENDED, [*ENDED, *ENDED], ENDED[::-1]])
def test_the_rows_of_the_records_are_equal_in_any_order(records: list[SessionRecord]) -> None:
    assert found(rows_of(list(dict.fromkeys(records))), records) == []


def test_records_that_are_kept_in_another_order_than_they_came_are_found() -> None:
    assert "changed" in found(rows_of(ENDED), ENDED[::-1])


def test_records_in_the_tail_of_the_row_are_records_kept() -> None:
    state = fold(RECORDS, LIMITS)
    rows = {key: row for key, row in rows_of(RECORDS[:1]).items() if not key.startswith(b"S")}
    whole = encode_session(
        SessionRow(1, state, *append_records(0, b"", all_stored(RECORDS[1:]), 1_000)[:2])
    )
    cut = encode_session(
        SessionRow(1, state, *append_records(0, b"", all_stored(RECORDS[2:]), 1_000)[:2])
    )
    assert found(rows | {session_key(*IDS): whole}, RECORDS) == []
    assert found(rows | {session_key(*IDS): cut}, RECORDS) == ["missing"]


def test_a_row_of_fewer_records_is_found() -> None:
    # the state, the row that says open, the record that is not kept, and the account
    different = ["changed", "changed", "missing", "unlike the table"]
    assert found(rows_of(RECORDS), ENDED) == different


def test_a_row_of_more_records_is_found() -> None:
    assert found(rows_of(ENDED), RECORDS) == ["changed", "surplus", "unlike the table"]


def test_a_changed_state_is_found() -> None:
    changed = row_of(ENDED, 4, energy_uwh=5_000_000_001)
    rows = rows_of(ENDED) | {session_key(*IDS): changed}

    report = Report()
    check("here", Rows(rows), ENDED, report)

    assert list(report.lines()) == [
        "here: 1 changed",
        "    session S1 of EV-001: energy_uwh is 5000000001 instead of 5000000000",
    ]


@pytest.mark.parametrize(
    "key", [session_key(*IDS), index_key("S1", "EV-001"), block_key(*IDS, 1)], ids=str
)
def test_a_missing_row_is_found(key: bytes) -> None:
    rows = rows_of(ENDED)
    del rows[key]

    assert "missing" in found(rows, ENDED)


def test_a_missing_row_of_an_open_session_is_found() -> None:
    rows = rows_of(RECORDS)
    del rows[open_key(*IDS)]

    assert found(rows, RECORDS) == ["changed"]


@pytest.mark.parametrize(
    "key",
    [
        session_key("EV-001", "S2"),
        session_key("EV-002", "S1"),
        index_key("S1", "EV-002"),
        block_key(*IDS, 4),
        b"something else",
    ],
    ids=str,
)
def test_a_surplus_row_is_found(key: bytes) -> None:
    assert found(rows_of(ENDED) | {key: PRESENT}, ENDED) == ["surplus"]


def test_a_row_that_says_open_of_an_ended_session_is_found() -> None:
    assert found(rows_of(ENDED) | {open_key(*IDS): PRESENT}, ENDED) == ["changed"]


def test_the_rows_of_the_engine_are_none_of_the_tables() -> None:
    assert found(rows_of(ENDED) | {b"\0history": b"name"}, ENDED) == []


def test_a_record_kept_twice_is_found() -> None:
    rows = rows_of(ENDED)
    rows[block_key(*IDS, 3)] = encode_records([ENDED[3], ENDED[3]])

    assert found(rows, ENDED) == ["repeated"]


def test_an_earlier_appearance_that_was_found_later_is_kept_beside_the_later_one() -> None:
    earlier = ENDED[1]._replace(partition=5, ingest_us=ENDED[1].ingest_us - 1)
    records = [*ENDED, earlier]

    assert found(rows_of(records), records) == []
    # but the one that counts has to be there
    assert "missing" in found(rows_of(ENDED), records)


def test_a_later_appearance_need_not_be_kept() -> None:
    later = ENDED[1]._replace(partition=5, ingest_us=ENDED[1].ingest_us + 1)

    assert found(rows_of(ENDED), [*ENDED, later]) == []


def test_a_completed_session_that_would_never_be_forgotten_is_found() -> None:
    rows = rows_of(ENDED)
    del rows[completed_key(4)]
    assert found(rows, ENDED) == ["missing", "missing"]
    del rows[QUEUE_KEY]
    assert found(rows, ENDED) == ["missing"]


def test_a_row_that_says_that_there_are_countless_others_is_found_and_not_believed() -> None:
    rows = rows_of(ENDED)
    countless = Queue(4, 1 << 62, 0)
    assert "missing" in found(rows | {QUEUE_KEY: msgspec.msgpack.encode(countless)}, ENDED)
    assert "missing" in found(rows | {session_key(*IDS): row_of(ENDED, 1 << 62)}, ENDED)


def test_a_marker_takes_the_place_of_a_session_whose_time_has_passed_and_of_no_other() -> None:
    marked = {session_key(*IDS): PRESENT}
    assert found(marked, ENDED) == ["missing"]
    assert found(marked, RECORDS) == ["missing"]
    another = start(ingest=60 + 102 * 24 * 60)._replace(session_id="S2")
    rows = marked | {
        session_key("EV-001", "S2"): encode_session(SessionRow(1, fold([another], LIMITS))),
        index_key("S2", "EV-001"): PRESENT,
        open_key("EV-001", "S2"): PRESENT,
        block_key("EV-001", "S2", 0): encode_records([another]),
    }
    assert found(rows, [*ENDED, another]) == []


def test_a_station_whose_sessions_are_forgotten_is_one_that_a_worker_knows() -> None:
    elsewhere = start(ingest=60 + 102 * 24 * 60)._replace(station_id="EV-002")
    report, rows = Report(), Rows({session_key(*IDS): PRESENT})

    checked = check("here", rows, [*ENDED, elsewhere], report)

    # Of the other one the row is missing, so nobody can have heard of it.
    assert checked.stations == {"EV-001"}
    assert set(checked.sessions) == {("EV-002", "S1")}
