"""When a session is held, and why; every reason vanishes when the missing record arrives."""

from __future__ import annotations

import pytest

from evcharge.domain.session import HeldReason, Lifecycle, Limits
from evcharge.domain.session_record import SessionRecord
from tests.domain.session_records import (
    PLUG_IN,
    closed,
    correction,
    end,
    minute,
    session,
    start,
    update,
)

WEEK = 7 * 24 * 60

HOLDING: dict[str, tuple[list[SessionRecord], list[SessionRecord], HeldReason]] = {
    # name: (records, what makes the reason vanish, reason)
    "no-start": ([update(1, 1), end(60, 5)], [start()], HeldReason.NO_START),
    "no-energy": ([start(), end(60)], [update(59, 5)], HeldReason.NO_ENERGY),
    "end-before-start": ([start(61), end(60, 5)], [start()], HeldReason.END_BEFORE_START),
    "energy-decreased": (
        [start(), update(1, 6), end(60, 5)],
        [correction(60, 5)],
        HeldReason.ENERGY_DECREASED,
    ),
    "energy-leaped": (
        [start(meter=100), end(60, meter=500)],
        [update(30, meter=300)],
        HeldReason.ENERGY_LEAPED,
    ),
    "timestamp-ahead": (
        [start(), end(60, 5, ingest=54.9)],
        [],
        HeldReason.TIMESTAMP_AHEAD,
    ),
    "timestamp-ahead-in-a-stated-start": (
        [start(), end(60, 5, start_time_us=minute(65.1), ingest=60)],
        [],
        HeldReason.TIMESTAMP_AHEAD,
    ),
    "timestamp-ahead-in-the-start-of-a-closed-session": (
        [start(), closed(60, 5, start_time_us=minute(65.1), ingest=60)],
        [],
        HeldReason.TIMESTAMP_AHEAD,
    ),
    "too-long": (
        [start(), end(WEEK + 1, 5)],
        [correction(60, 5)],
        HeldReason.TOO_LONG,
    ),
    "conflicting-end-time": (
        [start(), end(60, 5), end(61, 5)],
        [correction(61, 5)],
        HeldReason.CONFLICTING_END,
    ),
    "conflicting-end-energy": (
        [start(), end(60, 5), closed(60, 6)],
        [correction(60, 6)],
        HeldReason.CONFLICTING_END,
    ),
    "conflicting-end-register": (
        [start(meter=100), end(60, 5), end(60, meter=106)],
        [correction(60, 6)],
        HeldReason.CONFLICTING_END,
    ),
    "conflicting-user": (
        [start(user_id="U1"), end(60, 5, user_id="U2")],
        [],
        HeldReason.CONFLICTING_USER,
    ),
}


@pytest.mark.parametrize("name", HOLDING)
def test_an_ended_session_with_a_reason_is_held(name: str) -> None:
    records, _, reason = HOLDING[name]
    state = session(*records)
    assert (state.lifecycle, state.held_reasons) == (Lifecycle.HELD, (reason,))


@pytest.mark.parametrize("name", [name for name, (_, cure, _) in HOLDING.items() if cure])
def test_a_reason_vanishes_when_the_missing_record_or_a_correction_arrives(name: str) -> None:
    records, cure, _ = HOLDING[name]
    state = session(*records, *cure)
    assert (state.lifecycle, state.held_reasons) == (Lifecycle.COMPLETED, ())


def test_a_clock_ahead_of_the_first_ingest_stays_ahead_however_often_it_is_repeated() -> None:
    ending = end(60, 5, ingest=54.9)
    later = ending._replace(ingest_us=minute(70))
    assert session(start(), ending, later).held_reasons == (HeldReason.TIMESTAMP_AHEAD,)


@pytest.mark.parametrize(
    "records",
    [
        [start(), end(0, 0)],
        [start(), end(60, 5, ingest=55)],
        [start(), end(WEEK, 5)],
        [start(user_id="U1"), end(60, 5, user_id="U1")],
        [closed(60, 5), end(60, 5, start_time_us=PLUG_IN)],
        [start(), end(60, 5, start_time_us=minute(65), ingest=60)],
        [start(meter=100), end(60, meter=400)],
    ],
    ids=[
        "0-seconds",
        "5-minutes-ahead",
        "a-week",
        "same-user",
        "same-end",
        "stated-start-ahead",
        "300-kwh",
    ],
)
def test_what_is_exactly_at_a_limit_is_not_held(records: list[SessionRecord]) -> None:
    assert session(*records).lifecycle is Lifecycle.COMPLETED


def test_equal_start_and_end_is_a_session_of_0_seconds() -> None:
    assert session(start(), end(0, 0)).duration_us == 0


def test_an_end_before_the_start_has_no_duration() -> None:
    assert session(start(61), end(60, 5)).duration_us is None


def test_being_late_is_no_reason() -> None:
    assert session(start(ingest=10**7), end(60, 5, ingest=10**7)).held_reasons == ()


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([update(1, 2), update(2, 1)], HeldReason.ENERGY_DECREASED),
        ([update(10, 1, ingest=1)], HeldReason.TIMESTAMP_AHEAD),
        ([start(user_id="U1"), update(1, 1, user_id="U2")], HeldReason.CONFLICTING_USER),
    ],
)
def test_an_active_session_shows_reasons_and_stays_active(
    records: list[SessionRecord], reason: HeldReason
) -> None:
    state = session(*records)
    assert (state.lifecycle, state.held_reasons) == (Lifecycle.ACTIVE, (reason,))


def test_several_reasons_are_shown_in_the_order_of_the_list() -> None:
    state = session(update(1, user_id="U1"), end(60, user_id="U2"), end(61))
    assert state.held_reasons == (
        HeldReason.NO_START,
        HeldReason.NO_ENERGY,
        HeldReason.CONFLICTING_END,
        HeldReason.CONFLICTING_USER,
    )


def test_the_limits_are_those_of_the_deployment() -> None:
    records = [start(ingest=-1), end(60, 5)]
    strict = Limits(max_session_us=3_599_999_999, ahead_us=59_999_999)
    assert session(*records, limits=strict).held_reasons == (
        HeldReason.TIMESTAMP_AHEAD,
        HeldReason.TOO_LONG,
    )
    trucks = Limits(max_leap_uwh=1_000_000_000_000)
    assert session(start(meter=100), end(60, meter=1100), limits=trucks).held_reasons == ()


def test_stored_bits_of_reasons_never_change() -> None:
    # A state in a table keeps its reasons as bits: append to this list, never reorder it.
    assert {reason.value: reason.bit for reason in HeldReason} == {
        "no-start": 1,
        "no-energy": 2,
        "end-before-start": 4,
        "energy-decreased": 8,
        "timestamp-ahead": 16,
        "too-long": 32,
        "conflicting-end": 64,
        "conflicting-user": 128,
        "too-many-readings": 256,
        "over-power": 512,
        "no-tariff": 1024,
        "changed-after-invoice": 2048,
        "energy-leaped": 4096,
    }
