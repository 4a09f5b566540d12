"""A session that took more than its connector can give, and the list of all reasons."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.domain.session import HeldReason, Limits, fold
from evcharge.domain.session.held import EXPLAINED, Basis
from evcharge.domain.session.order import distinct, in_order
from evcharge.domain.session.power import is_over_power
from evcharge.domain.session.told import told_as_meant
from evcharge.domain.session_record import SessionRecord
from evcharge.settings import Settings
from tests.domain import strategies
from tests.domain.session_records import (
    LIMITS,
    closed,
    correction,
    end,
    start,
    update,
)

KW = 1_000_000
EXACT = Limits(power_tolerance_percent=0, power_tolerance_us=0)


def over(*records: SessionRecord, kilowatts: int | None = 22, limits: Limits = LIMITS) -> bool:
    power = None if kilowatts is None else kilowatts * KW
    ordered = in_order(distinct(records).values())
    return is_over_power(fold(records, limits), ordered, power, limits)


def test_a_session_within_the_rated_power_is_not_over_it() -> None:
    assert not over(start(), update(30, 11), end(60, 22))


def test_more_energy_than_the_whole_session_can_have_had_is_over_power() -> None:
    assert over(start(), end(60, 30))
    assert over(closed(60, 30))


def test_more_energy_between_two_readings_than_the_time_allows_is_over_power() -> None:
    # 15 kWh in half a day are little, 15 kWh in ten minutes are 90 kW.
    readings = [start(), update(300, 1), update(310, 16), end(720, 16)]
    assert over(*readings)
    assert not over(readings[0], readings[1], readings[3])


def test_the_leap_may_be_to_the_first_reading_or_to_the_end() -> None:
    assert over(start(), update(1, 15), end(720, 16))
    assert over(start(), update(719, 1), end(720, 16))


def test_registers_count_as_stated_energy_does() -> None:
    readings = [start(meter=4076), update(300, meter=4077), end(720, meter=4092)]
    assert not over(*readings)
    assert over(*readings, update(310, meter=4092))


def test_where_the_register_states_no_power_nothing_is_over_it() -> None:
    assert not over(start(), end(1, 1000), kilowatts=None)


def test_exactly_the_rated_power_with_its_tolerance_is_within_it() -> None:
    # 22 kW for an hour; a tenth more for a minute more.
    assert not over(start(), end(60, 22), limits=EXACT)
    assert over(start(), end(60, 22.000000001), limits=EXACT)
    most = 22 * 1.1 * 61 / 60
    assert not over(start(), end(60, most - 1e-8))
    assert over(start(), end(60, most + 1e-8))


def test_readings_seconds_apart_may_be_as_coarse_as_meters_count() -> None:
    # A meter of 0.1 kWh, read every ten seconds: 36 kW by the numbers.
    assert not over(start(), update(10, 3.6), update(10 + 1 / 6, 3.7), end(60, 20))


def test_energy_in_no_time_is_over_power() -> None:
    assert over(start(), end(0, 5))
    assert not over(start(), end(0, 0))


def test_a_reading_from_before_the_start_is_not_a_leap_at_the_start() -> None:
    # The device told of its start five minutes too late.
    assert not over(update(0, 0.1), update(4, 1.5), start(5), update(10, 3.5), end(60, 20))


def test_readings_behind_the_end_do_not_count() -> None:
    assert not over(start(), end(60, 20), update(61, 500))


def test_a_correction_takes_it_away() -> None:
    records = [start(), update(1, 15), end(60, 20)]
    assert over(*records)
    assert not over(*records, correction(60, 0.5))


def test_a_session_that_has_not_ended_or_lacks_its_facts_is_not_over_power() -> None:
    assert not over(start(), update(1, 500))
    assert not over(update(1, 500), end(2, 600))
    assert not over(start(), end(60))
    assert not over(start(61), end(60, 600))


@settings(max_examples=200, deadline=None)
@given(strategies.record_sets, st.integers(1, 400), st.data())
def test_over_power_is_a_function_of_the_set_of_the_records(
    records: list[SessionRecord], kilowatts: int, data: st.DataObject
) -> None:
    again = data.draw(st.permutations([*records, *records[:2]]))
    assert over(*again, kilowatts=kilowatts) == over(*records, kilowatts=kilowatts)


@settings(max_examples=200, deadline=None)
@given(strategies.record_sets, st.integers(1, 400))
def test_more_rated_power_or_tolerance_never_makes_a_session_over_power(
    records: list[SessionRecord], kilowatts: int
) -> None:
    if not over(*records, kilowatts=kilowatts, limits=EXACT):
        assert not over(*records, kilowatts=kilowatts + 1, limits=EXACT)
        assert not over(*records, kilowatts=kilowatts)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 12) | st.sampled_from([1200, 1204])),
        max_size=8,
    ),
    st.integers(1, 12),
    st.sampled_from([EXACT, LIMITS]),
    st.booleans(),
    st.booleans(),
)
def test_a_usual_session_is_over_power_where_two_of_its_readings_are(
    readings: list[tuple[int, int]], kilowatts: int, limits: Limits, by_register: bool, lowest: bool
) -> None:
    at, so_far = 0, 0.0
    base = 0 if lowest else 4000
    records = [start(meter=base if by_register else None)]
    for seq, (after, more) in enumerate(readings):
        at, so_far = at + after, so_far + more / 4
        reading = {"meter": base + so_far} if by_register else {"energy": so_far}
        records.append(update(at, **reading, seq=seq))
    records.append(end(at + 5, so_far + 0.5))
    state = fold(records, limits)
    told = told_as_meant(state, records)
    was_placeholder = by_register and state.base_uwh != base * 10**9
    assert (told is None) == was_placeholder
    quickly = is_over_power(state, records, kilowatts * KW, limits, told)
    assert over(*records, kilowatts=kilowatts, limits=limits) is quickly


# ---- the list


def test_every_reason_is_explained_and_its_thresholds_are_settings() -> None:
    assert list(EXPLAINED) == list(HeldReason)
    named = {name for explained in EXPLAINED.values() for name in explained.thresholds}
    assert all(hasattr(Settings(), name) for name in named)


def test_the_fold_finds_only_the_reasons_that_follow_from_records_alone() -> None:
    besides = {reason for reason, each in EXPLAINED.items() if each.basis is not Basis.RECORDS}
    assert besides == {
        HeldReason.OVER_POWER,
        HeldReason.NO_TARIFF,
        HeldReason.CHANGED_AFTER_INVOICE,
    }


@settings(max_examples=200, deadline=None)
@given(strategies.record_sets, strategies.small_limits)
def test_no_set_of_records_gives_a_reason_that_needs_more_than_records(
    records: list[SessionRecord], limits: Limits
) -> None:
    reasons = fold(records, limits).held_reasons
    assert all(EXPLAINED[reason].basis is Basis.RECORDS for reason in reasons)


@settings(max_examples=200, deadline=None)
@given(strategies.record_sets, strategies.adversarial_records)
def test_a_reason_that_a_decision_alone_settles_never_vanishes(
    records: list[SessionRecord], more: SessionRecord
) -> None:
    lasting = {reason for reason, each in EXPLAINED.items() if each.vanishes is None}
    before = lasting & set(fold(records, LIMITS).held_reasons)
    assert before <= set(fold([*records, more], LIMITS).held_reasons)
