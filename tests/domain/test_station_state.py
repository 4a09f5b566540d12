"""What a station's row becomes when its connectors report."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evcharge.domain.ahead import AHEAD_US
from evcharge.domain.session import Limits
from evcharge.domain.station_state import (
    ConnectorWord,
    StationState,
    advance_station,
    count_ahead,
    effective_time,
    is_ahead,
)
from evcharge.domain.status_report import Status, StatusReport

SECOND = 1_000_000
INGEST = 1_700_000_000 * SECOND


def report(
    status: Status,
    timestamp_us: int,
    *,
    connector_id: int = 1,
    ingest_us: int = INGEST,
    error_code: str | None = None,
) -> StatusReport:
    return StatusReport(
        "EV-1", connector_id, status, timestamp_us, ingest_us, 0, 0, error_code=error_code
    )


def word(state: StationState, connector_id: int = 1) -> ConnectorWord:
    return next(each for each in state.words if each.connector_id == connector_id)


def test_the_first_report_begins_a_status() -> None:
    state = advance_station(None, [report(Status.OCCUPIED, 100, error_code="NoError")])

    assert state == StationState((ConnectorWord(1, Status.OCCUPIED, 100, 100, INGEST, "NoError"),))


def test_the_last_event_time_wins_in_any_order_of_arrival() -> None:
    early, late = report(Status.FREE, 100), report(Status.OCCUPIED, 200)

    for arrival in ([early, late], [late, early]):
        state = advance_station(None, arrival)
        assert (word(state).status, word(state).since_us) == (Status.OCCUPIED, 200)


def test_a_tie_goes_to_the_report_processed_later() -> None:
    state = advance_station(None, [report(Status.FREE, 100), report(Status.OCCUPIED, 100)])

    assert word(state).status is Status.OCCUPIED


def test_a_repeat_keeps_when_the_status_began_and_takes_the_newest_error_code() -> None:
    state = advance_station(
        None,
        [
            report(Status.FAULTED, 100, error_code="GroundFailure"),
            report(Status.FAULTED, 300, ingest_us=INGEST + 5, error_code="OtherError"),
        ],
    )

    assert word(state) == ConnectorWord(1, Status.FAULTED, 300, 100, INGEST + 5, "OtherError")


def test_an_error_goes_with_the_report_that_names_none() -> None:
    reports = [report(Status.FAULTED, 100, error_code="GroundFailure"), report(Status.FREE, 200)]

    assert word(advance_station(None, reports)).error_code is None
    assert word(advance_station(advance_station(None, reports[:1]), reports[1:])).error_code is None


def test_an_error_is_of_its_connector_alone() -> None:
    reports = [
        report(Status.FAULTED, 100, error_code="GroundFailure"),
        report(Status.FREE, 100, connector_id=2),
    ]
    for arrival in (reports, reports[::-1]):
        state = advance_station(None, arrival)
        assert (word(state).error_code, word(state, 2).error_code) == ("GroundFailure", None)


def test_an_older_report_changes_no_status_but_is_a_sign_of_life() -> None:
    state = advance_station(None, [report(Status.OCCUPIED, 200)])

    after = advance_station(state, [report(Status.FREE, 100, ingest_us=INGEST + 9)])

    assert word(after) == word(state)._replace(heard_us=INGEST + 9)


def test_a_sign_of_life_never_goes_back() -> None:
    state = advance_station(None, [report(Status.OCCUPIED, 200)])

    after = advance_station(state, [report(Status.OCCUPIED, 300, ingest_us=INGEST - 9)])

    assert word(after).heard_us == INGEST


def test_a_report_processed_again_gives_an_equal_state() -> None:
    again = report(Status.OCCUPIED, 200)
    state = advance_station(None, [again])

    assert advance_station(state, [again]) == state
    assert advance_station(state, []) == state


def test_a_timestamp_up_to_five_minutes_ahead_is_believed() -> None:
    state = advance_station(None, [report(Status.FREE, INGEST + AHEAD_US)])

    assert word(state).event_us == INGEST + AHEAD_US
    assert not is_ahead(report(Status.FREE, INGEST + AHEAD_US))
    assert is_ahead(report(Status.FREE, INGEST + AHEAD_US + 1))


def test_statuses_and_sessions_agree_on_how_far_ahead_is_too_far() -> None:
    assert Limits().ahead_us == AHEAD_US == 300 * SECOND


def test_a_timestamp_further_ahead_orders_by_its_ingest_time() -> None:
    ahead = report(Status.OCCUPIED, INGEST + AHEAD_US + 1)
    next_day = INGEST + 86_400 * SECOND
    truth = report(Status.FREE, INGEST + SECOND, ingest_us=INGEST + SECOND)

    state = advance_station(None, [ahead, report(Status.RESERVED, next_day), truth])

    assert word(advance_station(None, [ahead])).since_us == INGEST
    assert word(state).status is Status.FREE


def test_each_connector_and_the_whole_station_have_their_own_word_in_the_order_of_ids() -> None:
    state = advance_station(
        None,
        [
            report(Status.FREE, 100, connector_id=2),
            report(Status.UNAVAILABLE, 150, connector_id=0),
            report(Status.FAULTED, 50, connector_id=1),
        ],
    )

    assert [(each.connector_id, each.status) for each in state.words] == [
        (0, Status.UNAVAILABLE),
        (1, Status.FAULTED),
        (2, Status.FREE),
    ]


def test_the_state_it_was_given_stays_as_it_was() -> None:
    state = advance_station(None, [report(Status.FREE, 100)])
    before = StationState(tuple(state.words))

    advance_station(state, [report(Status.OCCUPIED, 200), report(Status.FREE, 1, connector_id=3)])

    assert state == before


reports = st.lists(
    st.builds(
        report,
        st.sampled_from([Status.FREE, Status.OCCUPIED, Status.FAULTED]),
        st.integers(INGEST - 3, INGEST + 3) | st.just(INGEST + AHEAD_US + 7),
        connector_id=st.integers(0, 2),
        ingest_us=st.integers(INGEST - 2, INGEST + 2),
    ),
    max_size=12,
)


@given(reports, st.integers(0, 12))
def test_reports_processed_again_after_a_crash_change_nothing(
    all_reports: list[StatusReport], first_again: int
) -> None:
    state = advance_station(None, all_reports)

    assert advance_station(state, all_reports[first_again:]) == state


@given(reports, st.integers(0, 12))
def test_how_reports_are_cut_into_chunks_makes_no_difference(
    all_reports: list[StatusReport], cut: int
) -> None:
    in_two = advance_station(advance_station(None, all_reports[:cut]), all_reports[cut:])

    assert in_two == advance_station(None, all_reports)


def plainly(words: dict[int, ConnectorWord], said: StatusReport) -> None:
    """Take up one report as the docstrings tell it."""
    at_us = effective_time(said)
    old = words.get(said.connector_id)
    if old is None:
        old = ConnectorWord(said.connector_id, said.status, at_us, at_us, said.ingest_us)
    new = old._replace(heard_us=max(old.heard_us, said.ingest_us))
    if at_us >= old.event_us:
        since_us = old.since_us if said.status == old.status else at_us
        new = new._replace(
            status=said.status, event_us=at_us, since_us=since_us, error_code=said.error_code
        )
    words[said.connector_id] = new


@given(reports, reports)
def test_reports_of_connectors_in_turn_or_mixed_mean_what_each_means_alone(
    earlier: list[StatusReport], later: list[StatusReport]
) -> None:
    words: dict[int, ConnectorWord] = {}
    for each in (*earlier, *later):
        plainly(words, each)
    state = advance_station(advance_station(None, earlier), later)

    assert state.words == tuple(word for _, word in sorted(words.items()))
    assert count_ahead(later) == [is_ahead(each) for each in later].count(True)
