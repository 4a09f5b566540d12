"""A session with too many records is held, in bounded space, whichever records came first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.domain.session import (
    HeldReason,
    Lifecycle,
    Limits,
    advance,
    fold,
    kept_witnesses,
)
from evcharge.domain.session.flood import with_witnesses, witnesses
from evcharge.domain.session_record import SessionRecord
from tests.domain import strategies
from tests.domain.session_records import correction, end, kwh, minute, session, start, update

FOUR = Limits(max_readings=4)
FLOOD = [start(connector_id=2, user_id="U1"), *(update(each, each) for each in range(1, 6))]
TOO_MANY = HeldReason.TOO_MANY_READINGS


def unread() -> Sequence[SessionRecord]:
    raise AssertionError("a flooded session must not read what is stored")


def test_as_many_records_as_the_limit_are_not_too_many() -> None:
    assert session(*FLOOD[:4], limits=FOUR).lifecycle is Lifecycle.ACTIVE
    assert session(*FLOOD[:4], *FLOOD[:4], limits=FOUR).revision == 4


def test_one_more_holds_the_session_although_it_is_still_open() -> None:
    state = session(*FLOOD[:5], limits=FOUR)
    assert (state.lifecycle, state.held_reasons, state.is_open) == (
        Lifecycle.HELD,
        (TOO_MANY,),
        True,
    )
    assert (state.connector_id, state.user_id, state.energy_uwh) == (2, "U1", kwh(4))


def test_its_revision_stays_one_above_the_limit() -> None:
    assert session(*FLOOD, limits=FOUR).revision == 5


def test_from_then_on_nothing_is_kept_or_read_again() -> None:
    state, _ = advance(None, FLOOD[:4], unread, FOUR)
    state, appended = advance(state, FLOOD[4:5], lambda: FLOOD[:4], FOUR)
    assert not appended
    for record in (update(7, 7), update(0.5, 0.1), end(60, 9), update(61, 10)):
        state, appended = advance(state, [record], unread, FOUR)
        assert not appended
    assert len(state.witnesses or ()) <= 9


@pytest.mark.parametrize("cut", range(7))
def test_the_first_records_are_kept_for_a_person_however_they_were_cut(cut: int) -> None:
    records = [*FLOOD[:2], FLOOD[1], *FLOOD[2:], end(60, 9)]
    state, kept = None, list[SessionRecord]()
    for chunk in filter(None, (records[:cut], records[cut:])):
        state, appended = advance(state, chunk, lambda: kept, FOUR)
        kept.extend(appended)
    assert kept == FLOOD[:4]
    assert state == fold(records, FOUR)
    # Where it ended is known besides.
    assert with_witnesses(state, kept) == [*FLOOD[:4], *records[-2:]]


def test_its_end_is_still_found() -> None:
    state = session(*FLOOD, end(60, 9), update(70, 1), limits=FOUR)
    assert (state.is_open, state.energy_uwh) == (False, kwh(9))
    assert (state.ended_us, state.held_reasons) == (end(60).timestamp_us, (TOO_MANY,))


def test_its_start_is_still_the_first_start_record() -> None:
    early = [update(0, 0, connector_id=1, user_id="U1"), *FLOOD[2:]]
    assert session(*early, start(1), start(2), limits=FOUR).started_us == start(1).timestamp_us


def test_its_energy_still_counts_from_the_first_register() -> None:
    readings = [update(each, meter=100 + each) for each in range(1, 7)]
    assert session(start(), *readings, limits=FOUR).energy_uwh == kwh(5)


def test_conflicts_corrections_and_clocks_still_show() -> None:
    contrary = [end(60, 9), end(61, 9, user_id="U2"), update(40, 6, ingest=1)]
    state = session(*FLOOD, *contrary, limits=FOUR)
    assert state.held_reasons == (
        HeldReason.TIMESTAMP_AHEAD,
        HeldReason.CONFLICTING_END,
        HeldReason.CONFLICTING_USER,
        TOO_MANY,
    )
    corrected = session(*FLOOD, *contrary, correction(60, 9), limits=FOUR)
    assert HeldReason.CONFLICTING_END not in corrected.held_reasons


def test_a_clock_that_was_ahead_stays_shown_when_its_record_is_no_witness() -> None:
    records = [*FLOOD, update(4.5, 4.5, ingest=-2)]
    state, _ = advance(None, records, unread, FOUR)
    later = update(6, 6)
    state, _ = advance(state, [later], unread, FOUR)
    assert HeldReason.TIMESTAMP_AHEAD in state.held_reasons
    assert state == fold([*records, later], FOUR)


def test_the_witnesses_come_back_as_records_with_place_and_ingest() -> None:
    kept = kept_witnesses(session(*FLOOD, limits=FOUR), "EV-001", "S1")
    assert kept == [FLOOD[0], FLOOD[-1]]


@settings(max_examples=300, deadline=None)
@given(st.lists(strategies.adversarial_records, min_size=1, max_size=12), st.data())
def test_the_witnesses_of_parts_are_the_witnesses_of_the_whole(
    records: list[SessionRecord], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(records)))) | {0, len(records)})
    by_parts: list[SessionRecord] = []
    for start_at, end_at in pairwise(cuts):
        by_parts = witnesses([*by_parts, *records[start_at:end_at]])
    assert by_parts == witnesses(records)
    assert len(by_parts) <= 9


def test_a_stated_start_ahead_of_its_ingest_is_still_found() -> None:
    ahead = end(60, 9, start_time_us=minute(66), ingest=60)
    for records in ([*FLOOD, ahead], [ahead, *FLOOD]):
        state = session(*records, limits=FOUR)
        assert HeldReason.TIMESTAMP_AHEAD in state.held_reasons
