"""What a set of records says of its session: who, where, from when to when."""

from __future__ import annotations

from evcharge.domain.session import HeldReason, Lifecycle
from tests.domain.session_records import (
    PLUG_IN,
    closed,
    correction,
    end,
    kwh,
    minute,
    session,
    start,
    update,
)


def test_the_bare_closed_session_of_the_contract_is_completed() -> None:
    # S12345: 10:15:30 to 12:00, 22.5 kWh, U67890.
    state = session(closed(104.5, 22.5, user_id="U67890"))
    assert state.lifecycle is Lifecycle.COMPLETED
    assert (state.duration_us, state.energy_uwh) == (6_270_000_000, kwh(22.5))
    assert (state.connector_id, state.user_id) == (1, "U67890")
    assert (state.revision, state.held_reasons) == (1, ())


def test_a_running_session_is_active_with_its_last_energy_and_power() -> None:
    state = session(start(), update(1, 1, power_mw=11), update(2, 2), update(3, power_mw=7))
    assert (state.lifecycle, state.is_open) == (Lifecycle.ACTIVE, True)
    assert (state.energy_uwh, state.power_mw) == (kwh(2), 7)
    assert (state.duration_us, state.ended_us) == (None, None)


def test_after_the_end_no_power_is_shown() -> None:
    assert session(start(), update(1, 1, power_mw=11), end(2, 1, power_mw=3)).power_mw is None


def test_the_connector_is_that_of_the_first_record_that_names_one() -> None:
    named = [update(2, 1, connector_id=3), update(1, 0, connector_id=2)]
    assert session(start(), *named).connector_id == 2


def test_a_session_whose_records_name_no_connector_is_on_connector_1() -> None:
    assert session(start()).connector_id == 1


def test_a_record_behind_the_end_may_still_name_connector_and_user() -> None:
    state = session(start(), end(60, 5), update(61, 6, connector_id=2, user_id="U1"))
    assert (state.connector_id, state.user_id) == (2, "U1")


def test_the_start_is_the_first_start_record() -> None:
    state = session(start(2), start(1), update(0, 0), closed(60, 5))
    assert state.started_us == minute(1)


def test_a_running_session_of_updates_has_no_start_yet() -> None:
    state = session(update(5, 1))
    assert (state.lifecycle, state.started_us, state.held_reasons) == (Lifecycle.ACTIVE, None, ())


def test_without_a_start_record_the_end_states_the_start() -> None:
    assert session(end(60, 5, start_time_us=PLUG_IN)).started_us == PLUG_IN


def test_without_a_stated_start_the_duration_gives_it() -> None:
    state = session(end(60, 5, duration_us=1_800_000_000))
    assert (state.started_us, state.lifecycle) == (minute(30), Lifecycle.COMPLETED)


def test_a_start_that_arrives_behind_the_end_replaces_what_the_end_stated() -> None:
    assert session(closed(60, 5), start(7)).started_us == minute(7)


def test_an_end_that_states_no_start_is_completed_by_the_closed_session() -> None:
    state = session(end(60, 5), closed(60, 5))
    assert (state.started_us, state.lifecycle) == (PLUG_IN, Lifecycle.COMPLETED)


def test_an_end_that_states_no_energy_is_completed_by_the_closed_session() -> None:
    state = session(start(), end(60), closed(60, 5))
    assert (state.energy_uwh, state.lifecycle) == (kwh(5), Lifecycle.COMPLETED)


def test_an_identical_end_told_as_end_and_as_closed_session_is_no_conflict() -> None:
    state = session(start(meter=100), end(60, meter=105), closed(60, 5))
    assert (state.lifecycle, state.revision) == (Lifecycle.COMPLETED, 3)


def test_of_two_contradicting_ends_the_first_counts_meanwhile() -> None:
    state = session(start(), end(60, 5), end(70, 7))
    assert (state.ended_us, state.energy_uwh) == (minute(60), kwh(5))
    assert (state.lifecycle, state.held_reasons) == (Lifecycle.HELD, (HeldReason.CONFLICTING_END,))


def test_the_last_correction_is_the_end() -> None:
    state = session(start(), end(60, 5), end(70, 7), correction(58, 4), correction(59, 4.5))
    assert (state.lifecycle, state.ended_us) == (Lifecycle.COMPLETED, minute(59))
    assert state.energy_uwh == kwh(4.5)


def test_a_duplicate_end_counts_once() -> None:
    ending = end(60, 5)
    again = ending._replace(ingest_us=ending.ingest_us + 1, offset=ending.offset + 1)
    assert session(start(), ending, again).revision == 2
    assert session(start(), ending, again).lifecycle is Lifecycle.COMPLETED


def test_a_reading_behind_the_end_changes_nothing_but_the_revision() -> None:
    before = session(start(), update(1, 1), end(60, 5))
    after = session(start(), update(1, 1), end(60, 5), update(61, 99, meter=1, power_mw=5))
    changing = {"revision", "updated_us", "last_us", "last_rank"}
    differing = {
        name for name, one, other in zip(before._fields, before, after, strict=True) if one != other
    }
    assert differing == changing


def test_a_reading_at_the_time_of_the_end_is_before_it() -> None:
    assert session(start(), end(60), update(60, 5)).energy_uwh == kwh(5)


def test_readings_up_to_a_later_correction_count_again() -> None:
    records = [start(), update(1, 1), end(60), update(61, 6)]
    assert session(*records).energy_uwh == kwh(1)
    assert session(*records, correction(65)).energy_uwh == kwh(6)


def test_revision_counts_distinct_records_and_updated_is_their_latest_ingest() -> None:
    first = update(1, 1, ingest=30)
    again = first._replace(ingest_us=minute(99))
    state = session(start(ingest=40), first, again, update(2, 2, ingest=20))
    assert (state.revision, state.updated_us) == (3, minute(40))


def test_the_ingest_of_the_accepted_end_is_kept() -> None:
    state = session(start(), end(60, 5, ingest=90), end(70, 5, ingest=80))
    assert state.closed_ingest_us == minute(90)
