"""The checker of the stations' rows: which last words are possible, and what it finds."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest

from evcharge.domain.station_state import ConnectorWord, StationState, advance_station
from evcharge.domain.status_report import Status, StatusReport
from evcharge.verification.report import Report
from evcharge.verification.rows import Rows, check_left
from evcharge.verification.statuses import MOST_PAIRS, check_stations, possible_words, words_in
from tables.station_status import encode_station, station_key

SECOND = 1_000_000
FREE, OCCUPIED = Status.FREE, Status.OCCUPIED


def said(status: Status, at_s: int, station_id: str = "EV-001", connector: int = 1) -> StatusReport:
    at_us = at_s * SECOND
    return StatusReport(station_id, connector, status, at_us, at_us + SECOND, 0, at_s)


def words_in_any_order(
    direct: Sequence[StatusReport], rerouted: Sequence[StatusReport]
) -> set[ConnectorWord]:
    """Return what the agent's own rule makes of every order that keeps those of the two topics."""
    places = range(len(direct) + len(rerouted))
    words: set[ConnectorWord] = set()
    for chosen in itertools.combinations(places, len(direct)):
        ours, theirs = iter(direct), iter(rerouted)
        reports = [next(ours) if place in chosen else next(theirs) for place in places]
        words.update(advance_station(None, reports).words)
    return words


def test_every_order_of_two_topics_is_possible_and_no_other_word(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(300):
        direct, rerouted = (
            [
                said(chance.choice([FREE, OCCUPIED, Status.FAULTED]), chance.randint(1, 4))
                for _ in range(chance.randint(least, 4))
            ]
            for least in (1, 0)
        )
        assert possible_words(direct, rerouted) == words_in_any_order(direct, rerouted), seed


@pytest.fixture
def seed() -> int:
    drawn = random.randrange(1 << 32)
    print("seed", drawn)  # noqa: T201 - shown if the test fails
    return drawn


def found(
    rows: dict[bytes, bytes], direct: Sequence[StatusReport], rerouted: Sequence[StatusReport] = ()
) -> list[str]:
    report = Report()
    looked_at = Rows(rows)
    check_stations("here", looked_at, direct, rerouted, report)
    check_left("here", looked_at, report)
    return sorted(sort for _, sort in report.differences.elements())


def rows_of(reports: Sequence[StatusReport]) -> dict[bytes, bytes]:
    return {station_key(reports[0].station_id): encode_station(advance_station(None, reports))}


REPORTS = [said(FREE, 1), said(OCCUPIED, 3), said(FREE, 2), said(FREE, 1, connector=2)]


def test_the_rows_of_the_reports_are_equal() -> None:
    assert found(rows_of(REPORTS), REPORTS) == []


def test_a_report_that_was_not_applied_is_found() -> None:
    assert found(rows_of(REPORTS), [*REPORTS, said(FREE, 4)]) == ["changed"]
    assert found(rows_of(REPORTS[:3]), REPORTS) == ["missing"]


def test_a_report_that_never_came_is_found() -> None:
    assert found(rows_of(REPORTS), REPORTS[:3]) == ["surplus"]


def test_the_words_of_rows_are_told_where_there_is_nothing_to_compare_them_with() -> None:
    rows = Rows(rows_of(REPORTS) | {b"something else": b""})

    assert words_in(rows) == {"EV-001": advance_station(None, REPORTS).words}
    assert list(rows.left()) == [b"something else"]


def test_reports_that_are_older_than_others_of_their_topic_are_not_followed() -> None:
    ours, theirs = ([said(status, 5_000 - n) for n in range(3_000)] for status in (FREE, OCCUPIED))

    assert len(ours) * len(theirs) > MOST_PAIRS
    assert (
        possible_words(ours, theirs)
        == possible_words(ours[:1], theirs[:1])
        == {
            ConnectorWord(1, status, 5_000 * SECOND, 5_000 * SECOND, 5_001 * SECOND)
            for status in (FREE, OCCUPIED)
        }
    )


def test_of_too_many_reports_all_is_compared_but_when_the_status_began() -> None:
    ours = [said(status, at) for at, status in enumerate([FREE, OCCUPIED] * 600)]
    theirs = [said(Status.FAULTED, at) for at in range(1_000)]
    (word,) = advance_station(None, [*theirs, *ours]).words
    for change, sorts in (
        ({}, []),
        ({"since_us": 5 * SECOND}, []),
        ({"status": FREE}, ["changed"]),
        ({"event_us": 5 * SECOND}, ["changed"]),
        ({"heard_us": 5 * SECOND}, ["changed"]),
    ):
        row = encode_station(StationState((word._replace(**change),)))
        assert found({station_key("EV-001"): row}, ours, theirs) == sorts, change


def test_a_tie_that_went_to_the_earlier_offset_is_found() -> None:
    tie = [said(FREE, 1), said(OCCUPIED, 1)]

    assert found(rows_of(tie), tie) == []
    assert found(rows_of(tie[::-1]), tie) == ["changed"]


def test_a_tie_with_a_rerouted_report_may_go_either_way() -> None:
    tie = [said(FREE, 1), said(OCCUPIED, 1)]

    assert found(rows_of(tie), tie[:1], tie[1:]) == []
    assert found(rows_of(tie[::-1]), tie[:1], tie[1:]) == []


def test_a_missing_and_a_surplus_station_are_found() -> None:
    assert found({}, REPORTS) == ["missing"]
    assert found(rows_of(REPORTS) | rows_of([said(FREE, 1, "EV-002")]), REPORTS) == ["surplus"]


def test_a_row_changed_in_one_field_is_found() -> None:
    [word, *others] = advance_station(None, REPORTS).words
    for change in ({"since_us": 1}, {"heard_us": 1}, {"error_code": "x"}, {"event_us": 9}):
        row = encode_station(StationState((word._replace(**change), *others)))
        assert found({station_key("EV-001"): row}, REPORTS) == ["changed"], change


@pytest.mark.parametrize("row", [b"", b"garbage", b"\xc1", b"\x92\x01\x91\x90"], ids=str)
def test_a_row_that_cannot_be_read_is_found(row: bytes) -> None:
    assert found({station_key("EV-001"): row}, REPORTS) == ["changed"]
