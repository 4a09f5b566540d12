"""Which bill of a session counts."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from evcharge.past_bills.sealed_log import LastBills, Skimmed, skim


def record(session_id: str, bill: int, station_id: str = "EV-001") -> Skimmed:
    said = {
        "station_id": station_id,
        "session_id": session_id,
        "bill": bill,
        "started_at": "2023-05-01T10:15:30Z",
        "terms": {"tariff_id": "T1", "tariff": {"id": "T1"}},
        "segments": [],
    }
    skimmed = skim(json.dumps(said).encode())
    assert skimmed is not None
    return skimmed


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 4)), max_size=20))
def test_the_largest_bill_counts_whatever_their_order(bills: list[tuple[str, int]]) -> None:
    last = LastBills()
    for session_id, bill in bills:
        last.add(record(session_id, bill))
    for session_id, bill in bills:
        is_largest = bill == max(each for name, each in bills if name == session_id)
        assert last.has_last(record(session_id, bill)) == is_largest


def test_two_stations_can_have_a_session_of_one_id() -> None:
    last = LastBills()
    last.add(record("S1", 2))
    assert not last.has_last(record("S1", 1))
    assert last.has_last(record("S1", 1, "EV-002"))


def test_what_evcharge_did_not_write_is_not_skimmed() -> None:
    for value in (None, b"", b"junk", b"[]", b"{}", b'{"station_id":"EV-001"}'):
        assert skim(value) is None
