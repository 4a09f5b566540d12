"""Where live systems went wrong, one test each: from the records to what would be billed."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from evcharge.domain.billing.account import facts_of
from evcharge.domain.pricing import Plan, price, session_usage
from evcharge.domain.session import HeldReason, Lifecycle, SessionState
from evcharge.domain.session.order import distinct, in_order
from evcharge.domain.session_record import SessionRecord
from tables.charging_sessions import decode_session, session_key
from tests.agents.memory_step import MemoryStep
from tests.domain.billing_desk import FakeDesk
from tests.domain.session_records import (
    LIMITS,
    closed,
    correction,
    end,
    kwh,
    minute,
    session,
    start,
    update,
)
from tests.domain.tariff_builders import element, energy, parking, tariff, time

PLAN = Plan(tariff(element(energy("0.30")), element(time("1.20")), element(parking("6.00"))))


def take(*records: SessionRecord) -> tuple[SessionState, list[dict[str, Any]]]:
    """Return what the agent keeps of records that come one by one, and what it sealed.

    All of them name one user, who gets one invoice if anything was sealed that costs something.
    """
    step = MemoryStep(LIMITS, FakeDesk())
    for record in records:
        step.take(record._replace(user_id="U1"))
    assert step.refused == []
    costs = [each["cost"]["incl_vat"] for each in step.sealed]
    invoices = [(each["kind"], each["cost"]["incl_vat"]) for each in step.invoices]
    assert invoices == [("invoice", cost) for cost in costs if cost != "0.00"]
    assert len(invoices) <= 1
    row = decode_session(step.rows[session_key("EV-001", "S1")])
    return row.state, step.sealed


def cents(*records: SessionRecord) -> int:
    ordered = in_order(distinct(records).values())
    usage = session_usage(session(*ordered), ordered, ZoneInfo("UTC"), LIMITS)
    assert usage is not None
    return int(price(PLAN, usage).excl_vat)


def test_a_first_register_of_0_while_offline_is_no_910_kwh() -> None:
    _, (sealed,) = take(start(meter=0), update(5, meter=909.948), end(60, meter=910.031))
    assert sealed["energy_kwh"] == "0.083"


def test_a_batch_with_only_state_of_charge_or_current_resets_no_energy() -> None:
    state, _ = take(start(), update(5, 12.3), update(6, soc_millionths=80_000_000))
    assert state.energy_uwh == kwh(12.3)
    _, (sealed,) = take(start(), update(5, 12.3), update(6, current_ua=16_000_000), end(60))
    assert sealed["energy_kwh"] == "12.3"


def test_the_same_end_delivered_twice_is_accepted_and_counts_once() -> None:
    ending = end(60, 5)
    again = ending._replace(offset=ending.offset + 1, ingest_us=ending.ingest_us + 60_000_000)
    state, sealed = take(start(), update(10, 1), ending, again)
    assert (state.lifecycle, state.energy_uwh, state.revision) == (
        Lifecycle.COMPLETED,
        kwh(5),
        3,
    )
    assert len(sealed) == 1


def test_a_lifetime_register_and_session_relative_updates_are_0_353_kwh() -> None:
    readings = [update(each, meter=at) for each, at in ((1, 0.104), (2, 0.228), (3, 0.353))]
    state, (sealed,) = take(start(meter=4076), *readings, end(4, meter=0.353))
    assert sealed["energy_kwh"] == "0.353"
    assert state.held_reasons == ()


def test_a_reading_after_the_end_changes_neither_the_closed_session_nor_the_next_one() -> None:
    step = MemoryStep(LIMITS, FakeDesk())
    following = [
        each._replace(session_id="S2") for each in (start(61, meter=105), update(70, meter=106))
    ]
    for record in (start(meter=100, user_id="U1"), end(60, meter=105), *following):
        step.take(record)
    before = {each: decode_session(step.rows[session_key("EV-001", each)]) for each in ("S1", "S2")}
    step.take(update(65, meter=105.9, ingest=75))
    after = {each: decode_session(step.rows[session_key("EV-001", each)]) for each in ("S1", "S2")}
    assert after["S2"] == before["S2"]
    assert after["S1"].state.energy_uwh == before["S1"].state.energy_uwh == kwh(5)
    assert after["S1"].state.lifecycle is Lifecycle.COMPLETED
    assert len(step.sealed) == len(step.invoices) == 1


def test_an_end_register_below_the_start_register_is_held_and_not_sealed() -> None:
    state, sealed = take(start(meter=100), end(60, meter=95))
    assert state.held_reasons == (HeldReason.ENERGY_DECREASED,)
    assert (state.lifecycle, sealed) == (Lifecycle.HELD, [])


def test_a_second_end_with_another_register_bills_nothing_twice() -> None:
    records = [start(meter=100), end(60, meter=105), end(70, meter=107)]
    state, sealed = take(*records)
    assert (state.ended_us, state.energy_uwh) == (minute(60), kwh(5))
    assert state.held_reasons == (HeldReason.CONFLICTING_END,)
    assert len(sealed) == 1
    corrected, sealed = take(*records, correction(70, meter=107))
    assert (corrected.lifecycle, corrected.energy_uwh) == (Lifecycle.COMPLETED, kwh(7))
    assert len(sealed) == 1


def test_the_running_cost_is_the_final_bill_of_a_session_that_ends_there() -> None:
    running = [start(), update(10, 1.5), update(40, 6.25, charging=False), update(55, 6.25)]
    for upto in range(1, len(running) + 1):
        records = running[:upto]
        last = records[-1].timestamp_us
        ending = end(60, None)._replace(timestamp_us=last)
        stated = ending._replace(energy_uwh=session(*records).energy_uwh or 0)
        assert cents(*records) == cents(*records, stated)


def test_idle_time_is_parking_and_a_gap_without_energy_is_charging() -> None:
    idle = [start(), update(30, 5), update(30, charging=False), end(90, 5)]
    gap = [start(), update(30, 5), update(60, 5), end(90, 5)]
    # 5 kWh at 0.30; an hour and a half at 1.20, or half an hour and an hour parked at 6.00.
    assert cents(*gap) == 330
    assert cents(*idle) == 810


# ---- and what else devices do


def test_a_clock_that_jumps_back_in_a_session_puts_its_readings_where_their_times_say() -> None:
    # NTP sets the clock back ten minutes after two readings.
    jumped = [start(), update(20, 2), update(30, 3), update(21, 3.5), end(60, 8)]
    state, sealed = take(*jumped)
    assert state.held_reasons == (HeldReason.ENERGY_DECREASED,)
    assert sealed == []
    # Where the energy still grows with the times told, nothing is wrong with it.
    _, (fine,) = take(start(), update(20, 2), update(30, 3), update(21, 2.5), end(60, 8))
    assert fine["energy_kwh"] == "8"


def test_a_clock_that_is_set_ahead_while_a_session_runs_is_held() -> None:
    state, sealed = take(start(), update(200, 2, ingest=10), end(60, 5))
    assert state.held_reasons == (HeldReason.TIMESTAMP_AHEAD,)
    assert sealed == []


@pytest.mark.parametrize("ending", [end(60, 5), closed(60, 5)])
def test_a_start_of_1970_before_the_clock_was_set_is_held_as_too_long(
    ending: SessionRecord,
) -> None:
    plugged_in = start()._replace(timestamp_us=0)
    state, sealed = take(plugged_in, update(10, 1), ending)
    assert state.held_reasons == (HeldReason.TOO_LONG,)
    assert sealed == []
    assert facts_of(state).are_billable


def test_a_start_that_was_lost_is_found_in_the_closed_session_days_later() -> None:
    state, sealed = take(update(10, 1), end(60, 5))
    assert (state.held_reasons, sealed) == ((HeldReason.NO_START,), [])
    state, (told,) = take(update(10, 1), end(60, 5), closed(60, 5, ingest=9000))
    assert state.lifecycle is Lifecycle.COMPLETED
    assert told["started_at"] == "2023-05-01T10:15:30Z"


def test_a_session_whose_end_was_lost_stays_open_with_what_is_known() -> None:
    state, sealed = take(start(), update(10, 1))
    assert (state.lifecycle, state.energy_uwh, sealed) == (Lifecycle.ACTIVE, kwh(1), [])


def test_a_late_reading_fills_in_where_it_belongs_and_the_bill_stays() -> None:
    records = [start(), update(30, 4), end(60, 8)]
    state, sealed = take(*records, update(15, 2, ingest=5000))
    assert (state.lifecycle, state.energy_uwh) == (Lifecycle.COMPLETED, kwh(8))
    assert sealed == take(*records)[1]


def test_a_register_that_resets_in_a_session_is_held() -> None:
    state, sealed = take(
        start(meter=4076), update(1, meter=4080), update(2, meter=0.2), end(3, meter=1)
    )
    assert (state.held_reasons, sealed) == ((HeldReason.ENERGY_DECREASED,), [])
