"""How a session's records become priced segments."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given

from evcharge.domain.pricing import Usage, session_usage
from evcharge.domain.session import Lifecycle, Limits, fold
from evcharge.domain.session.order import distinct, in_order
from evcharge.domain.session_record import SessionRecord
from tests.domain.costs import cost, lines
from tests.domain.session_records import (
    LIMITS,
    MINUTE,
    closed,
    correction,
    end,
    start,
    update,
)
from tests.domain.strategies import arrivals, small_limits
from tests.domain.tariff_builders import element, energy, parking, tariff, time

ZONE = ZoneInfo("Europe/Paris")


def usage_of(*records: SessionRecord) -> Usage | None:
    ordered = in_order(distinct(records).values())
    return session_usage(fold(ordered, LIMITS), ordered, ZONE, LIMITS)


def told(*records: SessionRecord) -> list[tuple[str, float, float]]:
    """Return kind, minutes and kWh of each segment."""
    usage = usage_of(*records)
    assert usage is not None
    return [
        (each.kind.name, float(each.duration_us / MINUTE), float(each.energy_uwh / 1e9))
        for each in usage.segments
    ]


def test_energy_accrues_between_the_readings() -> None:
    assert told(start(0), update(10, 1.0), update(30, 5.0), end(60, 8.0)) == [
        ("TIME", 10, 1.0),
        ("TIME", 20, 4.0),
        ("TIME", 30, 3.0),
    ]


def test_a_closed_session_is_one_segment() -> None:
    assert told(closed(105, 22.5)) == [("TIME", 105, 22.5)]


def test_an_open_session_is_priced_up_to_its_last_record() -> None:
    assert told(start(0)) == [("TIME", 0, 0)]
    assert told(start(0), update(10, 1.0)) == [("TIME", 10, 1.0)]


def test_the_running_usage_is_what_it_would_be_if_the_session_ended_now() -> None:
    records = [start(0), update(10, 1.0, charging=False), update(30, 1.5, power_mw=5)]
    running, final = usage_of(*records), usage_of(*records, end(30, 1.5))
    assert running == final


def test_parking_is_where_the_car_does_not_ask_for_power() -> None:
    assert told(
        start(0),
        update(30, 5.0, charging=False),
        update(40, 5.0),
        update(50, 5.0, charging=True),
        end(60, 6.0),
    ) == [("TIME", 30, 5.0), ("PARKING_TIME", 10, 0), ("PARKING_TIME", 10, 0), ("TIME", 10, 1.0)]


def test_a_gap_without_energy_is_no_parking_by_itself() -> None:
    assert told(start(0), update(30, 5.0), update(60, 5.0), end(90, 5.0)) == [
        ("TIME", 30, 5.0),
        ("TIME", 30, 0),
        ("TIME", 30, 0),
    ]


def test_energy_between_two_readings_belongs_to_the_time_of_charging() -> None:
    assert told(start(0), update(60, 10.0), update(90, charging=False), end(150, 15.0)) == [
        ("TIME", 60, 10.0),
        ("TIME", 30, 5.0),
        ("PARKING_TIME", 60, 0),
    ]
    assert told(start(0), update(0, charging=False), update(30), end(60, 3.0)) == [
        ("PARKING_TIME", 30, 1.5),
        ("PARKING_TIME", 30, 1.5),
    ]


def test_power_and_current_hold_from_their_record_on() -> None:
    usage = usage_of(
        start(0),
        update(10, 1.0, power_mw=11_000_000, current_ua=16_000_000),
        update(20, 2.0),
        update(30, 3.0, power_mw=4_000_000),
        end(40, 4.0),
    )
    assert usage is not None
    assert [(each.power_mw, each.current_ua) for each in usage.segments] == [
        (None, None),
        (11_000_000, 16_000_000),
        (11_000_000, 16_000_000),
        (4_000_000, 16_000_000),
    ]


def test_registers_count_from_their_base() -> None:
    assert told(start(0, meter=1000.0), update(10, meter=1002.0), end(20, meter=1003.5)) == [
        ("TIME", 10, 2.0),
        ("TIME", 10, 1.5),
    ]


def test_the_register_of_an_offline_placeholder_is_no_energy() -> None:
    records = [start(0, meter=0.0), update(10, meter=909.948), end(20, meter=910.031)]
    assert sum(each[2] for each in told(*records)) == 0.083


def test_a_batch_with_only_the_state_of_charge_does_not_reset_the_energy() -> None:
    records = [start(0), update(10, 12.3), update(15, soc_millionths=5), end(20, 12.4)]
    assert [each[2] for each in told(*records)] == [12.3, 0.05, 0.05]


def test_a_correction_lowers_what_was_read_before() -> None:
    records = [start(0), update(10, 5.0), update(20, 9.0), end(30, 9.0), correction(40, 4.0)]
    assert told(*records) == [("TIME", 10, 4.0), ("TIME", 10, 0), ("TIME", 20, 0)]


def test_a_reading_behind_the_end_changes_nothing() -> None:
    records = [start(0), update(10, 5.0), end(20, 6.0)]
    assert told(*records, update(25, 7.0)) == told(*records)


def test_readings_before_the_start_count_at_the_start() -> None:
    assert told(update(-5, 0.5), start(0), end(10, 1.0)) == [("TIME", 0, 0.5), ("TIME", 10, 0.5)]


def test_without_a_start_nothing_can_be_priced() -> None:
    assert usage_of(update(10, 1.0), end(20, 2.0)) is None
    assert usage_of(start(30), end(20, 2.0)) is None


def test_idle_time_is_never_billed_as_charging_time() -> None:
    terms = tariff(element(energy("1"), time("6"), parking("60")))
    usage = usage_of(start(0), update(30, 5.0, charging=False), end(60, 5.0))
    assert usage is not None
    assert lines(cost(terms, usage)) == [
        ("ENERGY", "5", "5"),
        ("TIME", "0.5", "3"),
        ("PARKING_TIME", "0.5", "30"),
    ]


def test_an_open_session_with_too_many_records_is_priced_up_to_its_last_reading() -> None:
    limits = Limits(max_readings=4)
    records = [start(0), update(10, 1.0), update(20, 2.0), update(90), update(30, 3.0)]
    ordered = in_order(records)
    usage = session_usage(fold(records, limits), ordered, ZONE, limits)
    assert usage is not None
    assert [each.duration_us for each in usage.segments] == [10 * MINUTE] * 3


@given(chunks=arrivals(), limits=small_limits)
def test_time_and_energy_of_the_segments_are_those_of_the_session(
    chunks: list[list[SessionRecord]], limits: Limits
) -> None:
    records = [record for chunk in chunks for record in chunk]
    ordered = in_order(distinct(records).values())
    state = fold(ordered, limits)
    usage = session_usage(state, ordered, ZONE, limits)
    if state.lifecycle is Lifecycle.COMPLETED:
        assert usage is not None
        assert sum(each.duration_us for each in usage.segments) == state.duration_us
    if usage is not None:
        assert usage.started_us == state.started_us
        if state.is_open:
            assert sum(each.duration_us for each in usage.segments) == (
                state.last_us - usage.started_us
            )
        assert all(each.duration_us >= 0 and each.energy_uwh >= 0 for each in usage.segments)
        assert sum(each.energy_uwh for each in usage.segments) == (state.energy_uwh or 0)


@given(chunks=arrivals())
def test_neither_order_nor_duplicates_of_the_records_change_the_segments(
    chunks: list[list[SessionRecord]],
) -> None:
    records = [record for chunk in chunks for record in chunk]
    assert usage_of(*records) == usage_of(*reversed(records), *records)
