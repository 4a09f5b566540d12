"""Rows of the table ``charging-sessions`` keep what was stored, and only that."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcharge.domain.billing.account import NO_ACCOUNT, Account, Facts, Total, facts_of
from evcharge.domain.billing.decision import Corrections, Decision, Verdict
from evcharge.domain.billing.terms import Terms
from evcharge.domain.session import Limits, fold
from evcharge.domain.session_record import SessionRecord, all_stored
from evcharge.storage.partition_store import MemoryPartition
from tables.charging_sessions import (
    PRESENT,
    RECORDS_A_BLOCK,
    ChargingSessionsReader,
    SessionRow,
    append_records,
    block_key,
    decode_records,
    decode_session,
    encode_records,
    encode_session,
    open_key,
    session_key,
    stored_records,
)
from tests.domain.session_records import end, start, update
from tests.domain.strategies import record_sets

STATION, SESSION = "EV-001", "S1"
MOST = 100


@given(records=record_sets)
def test_a_stored_state_is_read_as_it_was(records: list[SessionRecord]) -> None:
    state = fold(records, Limits())
    waiting = Decision("D1", Verdict.RERATE, "A1", 3, None, 0, 7, 5, document="{}")
    for account in (
        None,
        NO_ACCOUNT._replace(waiting=(waiting,), known=("D1",), decisions=1),
        Account(1, 2, Facts(1, 2, 3), Total(100, 120), Terms("T", 7, "0" * 16, "UTC"), 1),
        Account(1, 2, Facts(1, 2, 3), Total(10**23, 12 * 10**22).kept),
        Account(verdict=Verdict.CORRECT, corrections=Corrections(ended_us=5)),
    ):
        for row in (
            SessionRow(3, state, account=account),
            SessionRow(0, state, 2, b"12", account, completed_us=9),
        ):
            assert decode_session(encode_session(row)) == row


def test_an_account_takes_few_bytes_of_its_sessions_row() -> None:
    state = fold([start(0, user_id="U1"), end(60, 5)], Limits())
    terms = Terms("TARIFF-1", 7, "0123456789abcdef", "Europe/Paris", 150_000_000)
    account = Account(1, 2, facts_of(state), Total(100, 120), terms, 1)
    bare, billed = (encode_session(SessionRow(1, state, account=each)) for each in (None, account))
    assert len(billed) - len(bare) <= 100


@given(records=record_sets)
def test_stored_records_are_read_as_they_were(records: list[SessionRecord]) -> None:
    ours = [r._replace(station_id=STATION, session_id=SESSION) for r in records]
    assert decode_records(STATION, SESSION, encode_records(ours)) == ours


@given(records=st.lists(record_sets, min_size=1, max_size=6))
def test_records_are_stored_together_as_each_would_be_alone(
    records: list[list[SessionRecord]],
) -> None:
    ours = [each for some in records for each in some]
    alone = []
    for each in ours:
        fields = [int(each.kind), *each[3:]]
        while fields[-1] is None:
            fields.pop()
        alone.append(msgspec.msgpack.encode(fields))
    assert encode_records(ours) == b"\x92\x01\xdc" + len(ours).to_bytes(2, "big") + b"".join(alone)
    assert append_records(0, b"", all_stored(ours), MOST) == (
        (len(ours), b"".join(alone), ())
        if sum(map(len, alone)) <= MOST
        else (0, b"", (encode_records(ours),))
    )


@given(chunks=st.lists(record_sets, max_size=8))
def test_appended_records_are_read_in_order_and_small_blocks_wait_in_the_tail(
    chunks: list[list[SessionRecord]],
) -> None:
    waiting, tail, blocks = 0, b"", list[bytes]()
    for chunk in chunks:
        waiting, tail, full = append_records(waiting, tail, all_stored(chunk), MOST)
        assert len(tail) <= MOST
        blocks += full
    store = MemoryPartition()
    store.write({block_key(STATION, SESSION, n): block for n, block in enumerate(blocks)}, 0)
    row = SessionRow(len(blocks), fold([start(0)], Limits()), waiting, tail)
    ours = [r._replace(station_id=STATION, session_id=SESSION) for chunk in chunks for r in chunk]
    assert list(stored_records(store, STATION, SESSION, row)) == ours
    assert all(len(block) > MOST for block in blocks)


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, RECORDS_A_BLOCK])
def test_records_encoded_together_can_be_read_however_many_they_are(count: int) -> None:
    records = [
        update(n, energy=n)._replace(station_id=STATION, session_id=SESSION) for n in range(count)
    ]
    assert decode_records(STATION, SESSION, encode_records(records)) == records


@pytest.mark.parametrize("count", [1, RECORDS_A_BLOCK, RECORDS_A_BLOCK + 1, 3 * RECORDS_A_BLOCK])
def test_many_records_are_split_into_blocks_and_read_in_order(count: int) -> None:
    records = [
        update(0, energy=n)._replace(station_id=STATION, session_id=SESSION) for n in range(count)
    ]
    store = MemoryPartition()
    waiting, tail, blocks = append_records(0, b"", all_stored(records), MOST)
    assert len(blocks) == count // RECORDS_A_BLOCK
    store.write({block_key(STATION, SESSION, n): block for n, block in enumerate(blocks)}, 0)
    row = SessionRow(len(blocks), fold(records, Limits()), waiting, tail)
    assert list(stored_records(store, STATION, SESSION, row)) == records


def test_ids_that_start_alike_are_kept_apart() -> None:
    store = MemoryPartition()
    row = encode_session(SessionRow(1, fold([start(0)], Limits())))
    store.write(
        {session_key(s, i): row for s, i in [("A", "1"), ("A", "10"), ("AB", "1"), ("A-", "1")]}, 0
    )
    reader = ChargingSessionsReader(store)
    assert [session for session, _ in reader.rows_of("A")] == ["1", "10"]
    assert list(reader.station_ids()) == ["A", "A-", "AB"]
    assert list(reader.station_ids("A")) == ["A-", "AB"]
    assert list(reader.station_ids("A-")) == ["AB"]


def test_an_open_row_that_outlived_its_session_is_not_believed() -> None:
    store = MemoryPartition()
    ended = encode_session(SessionRow(1, fold([start(0), end(5, 1.0)], Limits())))
    running = encode_session(SessionRow(1, fold([start(0)], Limits())))
    store.write(
        {
            session_key("A", "1"): ended,
            session_key("A", "2"): running,
            open_key("A", "1"): PRESENT,
            open_key("A", "2"): PRESENT,
            open_key("A", "3"): PRESENT,
        },
        0,
    )
    assert [s.session_id for s in ChargingSessionsReader(store).open_sessions("A")] == ["2"]
