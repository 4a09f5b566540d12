"""A corrected session whose records had no start or end that can be: as if a record had told it."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evcharge.domain.billing.bill import Bill, usage_of
from evcharge.domain.billing.decision import Corrections
from evcharge.domain.pricing import Usage, cost_json, session_usage
from evcharge.domain.session import Limits, fold
from evcharge.domain.session.flood import with_witnesses
from evcharge.domain.session.order import distinct, in_order
from evcharge.domain.session_record import RecordKind, SessionRecord
from tests.domain.billing_desk import Till, correct
from tests.domain.session_records import (
    LIMITS,
    MINUTE,
    PLUG_IN,
    end,
    kwh,
    minute,
    start,
    update,
)
from tests.domain.strategies import adversarial_records, record_sets, small_limits

ZONE = ZoneInfo("Europe/Paris")
PARKED = update(10, 10.0, charging=False, user_id="U1")
"""From then on it parks: an hour of it costs 1.20, 10 kWh cost 6.00."""


def corrected(
    records: Sequence[SessionRecord],
    limits: Limits = LIMITS,
    *,
    started: float | None = None,
    ended: float | None = None,
    energy: float | None = None,
) -> Usage:
    """Return what a session used under a correction, in minutes after plug-in and kWh."""
    corrections = Corrections(
        None if started is None else minute(started),
        None if ended is None else minute(ended),
        kwh(energy),
    )
    return usage_of(fold(records, limits), records, ZONE, limits, corrections)


def as_told(*records: SessionRecord) -> Usage | None:
    """Return what a session of these records used."""
    ordered = in_order(distinct(records).values())
    return session_usage(fold(ordered, LIMITS), ordered, ZONE, LIMITS)


def told(usage: Usage) -> list[tuple[str, float, float]]:
    """Return kind, minutes and kWh of each segment."""
    return [
        (each.kind.name, float(each.duration_us / MINUTE), float(each.energy_uwh / 1e9))
        for each in usage.segments
    ]


COURSE = [("TIME", 10, 10.0), ("PARKING_TIME", 60, 0.0)]


@pytest.mark.parametrize(
    ("records", "times"),
    [
        ([PARKED, end(70, 10.0)], {"started_us": minute(0)}),
        ([PARKED, end(70, 10.0)], {"started_us": minute(0), "ended_us": minute(70)}),
        ([start(0), PARKED, end(-5, 10.0)], {"ended_us": minute(70)}),
        ([PARKED, end(70, 10.0), start(99)], {"started_us": minute(0)}),
        ([start(99), PARKED, end(-5, 10.0)], {"started_us": minute(0), "ended_us": minute(70)}),
        ([start(0), PARKED], {"ended_us": minute(70)}),
        ([PARKED, update(70, 10.0)], {"started_us": minute(0), "ended_us": minute(70)}),
        ([PARKED], {"started_us": minute(0), "ended_us": minute(70)}),
    ],
)
def test_whatever_is_given_of_a_session_it_costs_what_it_would_if_a_record_had_told_it(
    records: list[SessionRecord], times: dict[str, int]
) -> None:
    till = Till()
    assert till.send(*records) == []
    (bill,) = till.decide(correct(len(records), **times))
    assert isinstance(bill, Bill)
    assert cost_json(bill.cost)["incl_vat"] == "7.20"
    assert told(Usage(PLUG_IN, ZONE, tuple(bill.segments))) == COURSE  # type: ignore[arg-type]


def test_nothing_changes_when_the_missing_record_comes_after_all() -> None:
    for records, times, late in (
        ([PARKED, end(70, 10.0)], {"started_us": minute(0)}, start(0)),
        ([start(0), PARKED], {"ended_us": minute(70)}, end(70, 10.0)),
    ):
        till = Till()
        till.send(*records)
        (before,) = till.decide(correct(2, **times))
        till.send(late)
        assert till.decide(correct(3, **times)) == []  # the bill stands
        assert isinstance(before, Bill)
        usage = as_told(*records, late)
        assert usage is not None
        assert tuple(before.segments) == usage.segments


def test_a_reading_of_the_corrected_course_that_comes_later_changes_the_price() -> None:
    readings = [PARKED, update(80, 10.0)]
    for reading, changed in zip(readings, (True, None), strict=True):
        first, last = Till(), Till()
        for till, late in ((first, False), (last, True)):
            till.send(start(0), end(-5, 10.0, user_id="U1"))
            if not late:
                till.send(reading)
            till.decide(correct(2, ended_us=minute(70)))
            till.send(reading)
            assert till.account is not None
            assert till.account.changed is changed


def test_a_session_of_its_end_alone_charges_from_the_given_start_on() -> None:
    assert told(corrected([end(70, 10.0)], started=10)) == [("TIME", 60, 10.0)]
    assert told(corrected([end(-5, 10.0), start(0)], ended=60)) == [("TIME", 60, 10.0)]


def test_energy_that_is_given_is_spread_as_the_known_one_was() -> None:
    records = [update(10, 6.0), update(20, 9.0, charging=False)]
    course = [("TIME", 10, 4.0), ("TIME", 10, 2.0), ("PARKING_TIME", 40, 0.0)]
    assert told(corrected([*records, end(60, 9.0)], started=0, energy=6.0)) == course
    assert told(corrected([start(0), *records, end(-5, 9.0)], ended=60, energy=6.0)) == course
    assert told(corrected([start(0), *records, end(-5)], ended=60, energy=6.0)) == course
    assert told(corrected([start(0), *records], ended=60, energy=6.0)) == course


def test_energy_of_which_nothing_was_read_is_spread_over_the_time_that_is_not_parking() -> None:
    records = [update(20, charging=False), update(30, charging=True)]
    course = [("TIME", 20, 4.0), ("PARKING_TIME", 10, 0.0), ("TIME", 10, 2.0)]
    assert told(corrected([*records, end(40)], started=0, energy=6.0)) == course
    assert told(corrected([start(0), *records, end(-5)], ended=40, energy=6.0)) == course
    assert told(corrected([start(0), *records], ended=40, energy=6.0)) == course


def test_registers_count_from_their_base_in_a_corrected_session_too() -> None:
    records = [update(0, meter=1000.0), update(10, meter=1001.5), end(20, meter=1003.5)]
    # A base alone is no energy: nobody knows when it began to flow.
    course = [("TIME", 5, 0.5), ("TIME", 10, 1.0), ("TIME", 10, 2.0)]
    assert told(corrected(records, started=-5)) == course
    # The end that came before its base tells no energy by itself.
    before = [end(-5, meter=1003.5), start(0, meter=1000.0), update(10, meter=1002.0)]
    usage = corrected(before, ended=20, energy=7.0)
    assert told(usage) == [("TIME", 10, 4.0), ("TIME", 10, 3.0)]


def test_what_lies_before_a_start_that_is_given_is_cut_off() -> None:
    records = [update(10, 4.0), update(30, 6.0, charging=False), end(70, 7.0)]
    # Of the 3 kWh behind the first reading, 1 in each 10 minutes and 1 while it parks.
    assert told(corrected(records, started=20)) == [("TIME", 10, 3.5), ("PARKING_TIME", 40, 3.5)]
    assert told(corrected(records, started=50)) == [("PARKING_TIME", 20, 7.0)]
    assert told(corrected(records, started=10))[0] == ("TIME", 0, 4.0)


def test_what_lies_behind_an_end_that_is_given_is_cut_off() -> None:
    readings = [update(10, 4.0), update(30, 6.0, charging=False), update(90, 8.0)]
    ended = corrected([start(0), *readings, end(-5, 7.0)], ended=70)
    assert ended == as_told(start(0), *readings, end(70, 7.0))
    # An open session's readings are all of them readings of it: 8 kWh, of which 2 / 3 is 40 minutes.
    cut = corrected([start(0), *readings], ended=20, energy=5.0)
    assert told(cut) == [("TIME", 10, 4.0), ("TIME", 10, 1.0)]


def test_a_known_end_is_moved_as_ever_where_only_the_start_is_missing() -> None:
    records = [PARKED, end(70, 10.0)]
    for ended in (40, 90):
        given = corrected(records, started=0, ended=ended)
        assert given == corrected([start(0), *records], ended=ended)
    assert told(corrected(records, started=0, ended=90)) == [*COURSE, ("TIME", 20, 0.0)]


def test_a_given_start_behind_the_end_makes_the_end_one_that_is_given_too() -> None:
    records = [end(-5, 10.0), PARKED]
    assert told(corrected(records, started=0, ended=70)) == COURSE
    assert told(corrected([start(-3), *records], started=0, ended=70)) == [
        ("TIME", 10, 10.0),
        ("PARKING_TIME", 60, 0.0),
    ]


def test_of_two_ends_the_accepted_one_is_where_it_is_given() -> None:
    records = [start(0), PARKED, end(-5, 10.0), end(60, 11.0), update(65, charging=True)]
    assert told(corrected(records, ended=70)) == [
        ("TIME", 10, 10.0),
        ("PARKING_TIME", 55, 0.0),
        ("TIME", 5, 0.0),
    ]


def test_a_corrected_session_of_no_time_delivers_in_that_instant() -> None:
    assert told(corrected([end(0, 2.0)], started=0)) == [("TIME", 0, 2.0)]
    assert told(corrected([start(0), end(-5, 2.0)], ended=0)) == [("TIME", 0, 2.0)]


def test_of_a_session_with_too_many_records_what_is_kept_tells_the_course() -> None:
    limits = Limits(max_readings=3)
    flood = [PARKED, *(update(each, 10.0) for each in range(20, 60, 10))]
    for records, corrections in (
        ([*flood, end(70, 10.0)], Corrections(started_us=minute(0))),
        ([*flood, start(0), end(-5, 10.0)], Corrections(ended_us=minute(70))),
        ([*flood, start(0)], Corrections(ended_us=minute(70))),
    ):
        state = fold(records, limits)
        known = with_witnesses(state, records[:3])
        usage = usage_of(state, known, ZONE, limits, corrections)
        assert told(usage)[0] == COURSE[0]
        assert {each[0] for each in told(usage)[1:]} == {"PARKING_TIME"}
        assert sum(each[1] for each in told(usage)) == 70


def without_a_start(records: Sequence[SessionRecord]) -> list[SessionRecord]:
    return [
        each._replace(start_time_us=None, duration_us=None)
        for each in records
        if each.kind is not RecordKind.START
    ]


@settings(max_examples=300, deadline=None)
@given(records=record_sets.map(without_a_start), before=st.integers(0, 3))
def test_a_start_that_is_given_is_worth_a_start_record(
    records: list[SessionRecord], before: int
) -> None:
    assume(records)
    first = min(each.timestamp_us for each in records)
    state = fold(records, LIMITS)
    assume(state.ended_us is not None and state.energy_uwh is not None)
    given_us = first - before * MINUTE
    usage = usage_of(state, records, ZONE, LIMITS, Corrections(given_us))
    assert usage == as_told(start((given_us - PLUG_IN) / MINUTE), *records)


@settings(max_examples=300, deadline=None)
@given(
    records=st.lists(adversarial_records, max_size=9),
    ended=st.integers(0, 40),
    energy=st.sampled_from([None, 0.0, 5.0, 12.3]),
    meter=st.sampled_from([None, 105.0, 450.0]),
    seq=st.sampled_from([None, 0, 1]),
    is_correction=st.sampled_from([None, True]),
)
def test_an_end_that_is_given_is_worth_an_end_at_that_time(
    records: list[SessionRecord],
    ended: int,
    energy: float | None,
    meter: float | None,
    seq: int | None,
    is_correction: bool | None,
) -> None:
    readings = [start(0), *(each for each in records if each.kind < RecordKind.END)]
    wrong = end(-5, energy, meter=meter, seq=seq, correction=is_correction)
    right = [*readings, wrong._replace(timestamp_us=minute(ended))]
    final = fold(right, LIMITS).energy_uwh
    assume(final is not None)
    corrections = Corrections(None, minute(ended), final)
    state = fold([*readings, wrong], LIMITS)
    assert usage_of(state, [*readings, wrong], ZONE, LIMITS, corrections) == as_told(*right)


@settings(max_examples=300, deadline=None)
@given(records=st.lists(adversarial_records, max_size=9), later=st.integers(0, 20))
def test_the_end_that_never_came_is_worth_an_end_without_energy(
    records: list[SessionRecord], later: int
) -> None:
    readings = [start(0), *(each for each in records if each.kind < RecordKind.END)]
    state = fold(readings, LIMITS)
    assume(state.energy_uwh is not None)
    ended = (state.last_us - PLUG_IN) / MINUTE + later
    usage = corrected(readings, ended=ended)
    # Behind all of them, whatever their numbers are.
    assert usage == as_told(*readings, end(ended, seq=99))


@settings(max_examples=300, deadline=None)
@given(
    records=record_sets,
    limits=small_limits,
    started=st.integers(-9, 40),
    lasts=st.integers(0, 40),
    energy=st.sampled_from([0.0, 7.0]),
)
def test_whatever_is_corrected_adds_up_and_follows_from_the_set_of_records(
    records: list[SessionRecord], limits: Limits, started: int, lasts: int, energy: float
) -> None:
    times = {"started": started, "ended": started + lasts, "energy": energy}
    usage = corrected(records, limits, **times)
    assert usage.started_us == minute(started)
    assert sum(each.duration_us for each in usage.segments) == lasts * MINUTE
    assert sum(each.energy_uwh for each in usage.segments) == kwh(energy)
    assert all(each.duration_us >= 0 and each.energy_uwh >= 0 for each in usage.segments)
    assert corrected([*reversed(records), *records], limits, **times) == usage
