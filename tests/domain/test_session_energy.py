"""The energy of a session, case by case as live systems got it wrong."""

from __future__ import annotations

import pytest

from evcharge.domain.session import HeldReason, Lifecycle, Limits, SessionState
from evcharge.domain.session_record import SessionRecord
from tests.domain.session_records import closed, correction, end, kwh, session, start, update

DECREASED = (HeldReason.ENERGY_DECREASED,)
LEAPED = (HeldReason.ENERGY_LEAPED,)


def bill(state: SessionState) -> tuple[str, int | None]:
    return (state.lifecycle.value, state.energy_uwh)


def test_an_offline_placeholder_zero_is_not_the_base_of_the_lifetime_register() -> None:
    # 0 Wh while offline, then 909948 Wh, then 910031 Wh: 0.083 kWh, not 910.031.
    state = session(start(meter=0), update(5, meter=909.948), end(60, meter=910.031))
    assert bill(state) == ("completed", kwh(0.083))
    assert (state.meter_start_uwh, state.meter_end_uwh) == (kwh(909.948), kwh(910.031))


def test_repeated_placeholder_zeros_are_no_reading_either() -> None:
    state = session(start(meter=0), update(1, meter=0), update(5, meter=909.948))
    assert state.energy_uwh is None
    state = session(start(meter=0), update(1, meter=0), end(5, meter=909.948))
    assert state.held_reasons == (HeldReason.NO_ENERGY,)


def test_a_placeholder_and_a_single_real_register_make_no_energy() -> None:
    state = session(start(meter=0), end(60, meter=910.031))
    assert state.energy_uwh is None
    assert state.held_reasons == (HeldReason.NO_ENERGY,)


def test_a_register_that_starts_at_zero_and_grows_like_a_session_is_counted_whole() -> None:
    state = session(start(meter=0), update(20, meter=7.5), end(60, meter=22.5))
    assert bill(state) == ("completed", kwh(22.5))


def test_energy_stated_beside_a_placeholder_is_kept_when_its_register_leaps() -> None:
    records = [start(meter=0), update(1, 3, meter=0), update(3, meter=5000)]
    assert session(*records).energy_uwh == kwh(3)
    assert bill(session(*records, end(4, meter=5001))) == ("completed", kwh(4))


@pytest.mark.parametrize("base", [100, 0.001, 4076])
def test_a_register_that_leaps_from_a_base_that_was_measured_is_held(base: float) -> None:
    # 100, 450, 500 kWh: 400 kWh or 50? It was completed with 50.
    running = session(start(meter=base), update(5, meter=base + 350))
    assert (bill(running), running.held_reasons) == (("active", kwh(350)), LEAPED)
    for ended in (
        session(start(meter=base), update(5, meter=base + 350), end(60, meter=base + 400)),
        session(start(meter=base), end(60, meter=base + 400)),
    ):
        assert (bill(ended), ended.held_reasons) == (("held", kwh(400)), LEAPED)


def test_a_session_relative_register_that_becomes_a_lifetime_one_is_held() -> None:
    # From 0 it moved: no placeholder.
    records = [start(meter=0), update(1, meter=0.104), update(2, meter=0.353)]
    assert session(*records).held_reasons == ()
    for meter in (910.031, 4076.4):
        state = session(*records, end(60, meter=meter))
        assert (bill(state), state.held_reasons) == (("held", kwh(meter)), LEAPED)


def test_many_readings_may_take_a_session_where_none_leaps() -> None:
    # A truck: 600 kWh, and no reading is 300 above the one before.
    readings = [update(each, meter=4076 + 200 * each) for each in range(1, 4)]
    assert bill(session(start(meter=4076), *readings, end(60, meter=4676))) == (
        "completed",
        kwh(600),
    )


def test_a_late_reading_in_between_takes_a_leap_away() -> None:
    records = [start(meter=100), update(10, meter=450), end(60, meter=500)]
    assert session(*records).held_reasons == LEAPED
    assert bill(session(*records, update(5, meter=300))) == ("completed", kwh(400))


def test_a_reading_of_both_tells_what_its_leap_is_worth() -> None:
    # A meter was exchanged while the car charged.
    records = [start(meter=100), update(1, 1, meter=101), update(2, 2, meter=9000)]
    assert session(*records).energy_uwh == kwh(2)
    assert bill(session(*records, end(3, meter=9001))) == ("completed", kwh(3))


def test_an_end_that_states_its_energy_settles_a_leap_and_a_register_does_not() -> None:
    records = [start(meter=100), update(5, meter=450)]
    assert bill(session(*records, end(60, 400))) == ("completed", kwh(400))
    assert session(*records, end(60)).held_reasons == LEAPED
    ended = [*records, end(60, meter=500)]
    assert bill(session(*ended, correction(60, 50))) == ("completed", kwh(50))
    assert session(*ended, correction(60, meter=500)).held_reasons == LEAPED
    assert session(start(meter=100), end(60, 5), correction(60, meter=500)).held_reasons == LEAPED


def test_of_several_ends_the_one_that_states_the_energy_settles_a_leap() -> None:
    records = [start(meter=100), update(5, meter=450), end(60, 400)]
    assert bill(session(*records, correction(60))) == ("completed", kwh(400))


def test_a_leap_down_again_is_held_for_both() -> None:
    state = session(
        start(meter=4076), update(1, meter=9000), update(2, meter=4077), end(3, meter=4078)
    )
    assert state.held_reasons == (HeldReason.ENERGY_DECREASED, HeldReason.ENERGY_LEAPED)
    assert bill(state) == ("held", kwh(2))


def test_what_is_a_leap_and_what_a_lifetime_register_is_set_by_one_limit() -> None:
    trucks = Limits(max_leap_uwh=1_000_000_000_000)
    placeholder = [start(meter=0), update(5, meter=909.948), end(60, meter=910.031)]
    assert bill(session(*placeholder, limits=trucks)) == ("completed", kwh(910.031))
    relative = [start(meter=407), update(1, meter=0.104), end(3, meter=0.353)]
    assert bill(session(*relative)) == ("completed", kwh(0.353))
    assert session(*relative, limits=trucks).held_reasons == DECREASED


def test_a_reading_without_energy_does_not_reset_it() -> None:
    state = session(start(), update(5, 12.3), update(6, soc_millionths=80_000_000, current_ua=16))
    assert state.energy_uwh == kwh(12.3)


def test_session_relative_registers_after_a_lifetime_register_are_the_energy() -> None:
    # Start register 4076 kWh, then 0.104, 0.228, 0.353: 0.353 kWh, never about -4076.
    readings = [start(meter=4076), update(1, meter=0.104), update(2, meter=0.228)]
    running = session(*readings, update(3, meter=0.353))
    ended = session(*readings, end(3, meter=0.353))
    assert bill(running) == ("active", kwh(0.353))
    assert bill(ended) == ("completed", kwh(0.353))
    assert (ended.meter_start_uwh, ended.meter_end_uwh) == (None, None)


def test_the_lifetime_register_may_come_back_at_the_end_of_session_relative_ones() -> None:
    state = session(start(meter=4076), update(1, meter=0.353), end(60, meter=4076.4))
    assert bill(state) == ("completed", kwh(0.4))


def test_session_relative_registers_may_come_with_the_same_energy() -> None:
    state = session(
        start(meter=4076), update(1, 0.1, meter=0.1), update(2, meter=0.2), end(3, meter=0.3)
    )
    assert bill(state) == ("completed", kwh(0.3))


def test_an_end_register_below_the_start_register_is_held() -> None:
    state = session(start(meter=100), end(60, meter=95))
    assert bill(state) == ("held", 0)
    assert state.held_reasons == DECREASED


def test_a_small_end_register_alone_is_not_taken_for_session_relative() -> None:
    state = session(start(meter=4076), end(60, meter=0.353))
    assert state.held_reasons == DECREASED


def test_an_end_register_below_the_start_register_shows_what_was_read_before() -> None:
    state = session(start(meter=100), update(5, meter=103), end(60, meter=95))
    assert bill(state) == ("held", kwh(3))
    assert state.held_reasons == DECREASED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (update(1, 5), update(2, 4.9)),
        (update(1, meter=105), update(2, meter=104)),
        (update(1, meter=105), update(2, meter=99)),
        (update(1, 5), update(2, meter=104)),
        (update(1, meter=105), update(2, 4.9)),
    ],
    ids=["stated", "register", "below-base", "stated-register", "register-stated"],
)
def test_energy_that_decreases_between_readings_is_held_and_the_reading_kept_out(
    before: SessionRecord, after: SessionRecord
) -> None:
    readings = [start(meter=100), before, after]
    running = session(*readings)
    assert running.lifecycle is Lifecycle.ACTIVE
    assert running.held_reasons == DECREASED
    assert running.energy_uwh == session(*readings[:2]).energy_uwh
    ended = session(*readings, end(60, 9000))
    assert (ended.lifecycle, ended.held_reasons) == (Lifecycle.HELD, DECREASED)


def test_a_register_reset_in_the_middle_of_a_session_is_held() -> None:
    state = session(start(meter=4076), update(1, meter=4080), update(2, meter=0.2), end(3, 9))
    assert (state.lifecycle, state.held_reasons) == (Lifecycle.HELD, DECREASED)


def test_the_decrease_vanishes_when_order_is_restored() -> None:
    # Readings are compared in the order of their timestamps, not of their arrival.
    assert session(update(2, 5), update(1, 4)).held_reasons == ()


def test_the_end_states_the_final_energy() -> None:
    assert bill(session(start(meter=100), update(1, meter=105), end(60, 22.5))) == (
        "completed",
        kwh(22.5),
    )


def test_an_end_that_states_less_than_was_read_is_held_and_shows_its_value() -> None:
    state = session(start(), update(1, 12.3), end(60, 0))
    assert bill(state) == ("held", 0)
    assert state.held_reasons == DECREASED


def test_an_end_without_energy_leaves_the_last_reading() -> None:
    assert bill(session(start(), update(1, 12.3), end(60))) == ("completed", kwh(12.3))


def test_zero_is_an_energy() -> None:
    assert bill(session(start(), end(60, 0))) == ("completed", 0)


@pytest.mark.parametrize("ending", [end(60), end(60, meter=105), closed(60)])
def test_without_any_energy_or_base_an_ended_session_is_held(ending: SessionRecord) -> None:
    state = session(start(), ending)
    assert bill(state) == ("held", None)
    assert state.held_reasons == (HeldReason.NO_ENERGY,)


def test_a_start_register_alone_is_no_energy() -> None:
    assert session(start(meter=100)).energy_uwh is None
    assert session(start(meter=100), end(60)).held_reasons == (HeldReason.NO_ENERGY,)


def test_without_a_start_register_the_first_register_is_the_base() -> None:
    state = session(start(), update(1, meter=500), end(60, meter=505))
    assert bill(state) == ("completed", kwh(5))


def test_a_reading_of_both_ties_the_register_to_the_energy() -> None:
    state = session(start(), update(1, 2, meter=502), end(60, meter=505))
    assert bill(state) == ("completed", kwh(5))
    assert (state.meter_start_uwh, state.meter_end_uwh) == (kwh(500), kwh(505))


def test_a_first_register_after_a_stated_energy_goes_on_from_it() -> None:
    assert session(update(1, 2), update(2, meter=500), update(3, meter=501)).energy_uwh == kwh(3)


def test_a_register_too_small_for_the_energy_stated_before_is_a_decrease() -> None:
    assert session(update(1, 5), update(2, meter=2)).held_reasons == DECREASED


def test_registers_count_from_the_start_register_to_the_end() -> None:
    state = session(start(meter=100), update(1, meter=101), end(60, meter=122.5))
    assert bill(state) == ("completed", kwh(22.5))
    assert (state.meter_start_uwh, state.meter_end_uwh) == (kwh(100), kwh(122.5))


def test_registers_that_do_not_account_for_the_energy_are_not_shown() -> None:
    state = session(start(meter=100), end(60, 22.5, meter=105))
    assert bill(state) == ("completed", kwh(22.5))
    assert (state.meter_start_uwh, state.meter_end_uwh) == (None, None)


def test_a_correction_settles_a_decrease() -> None:
    records = [start(meter=100), update(5, 12.3), update(6, 2), end(60, meter=95)]
    assert session(*records).held_reasons == DECREASED
    assert bill(session(*records, correction(60, 10))) == ("completed", kwh(10))
    assert bill(session(*records, correction(60, meter=110))) == ("completed", kwh(10))


def test_a_correction_with_a_register_below_the_base_is_still_held() -> None:
    state = session(start(meter=100), end(60, 5), correction(60, meter=95))
    assert state.held_reasons == DECREASED


def test_a_correction_without_energy_leaves_the_energy_of_the_first_end() -> None:
    state = session(start(), end(60, 22.5), correction(55))
    assert (bill(state), state.ended_us) == (("completed", kwh(22.5)), correction(55).timestamp_us)
