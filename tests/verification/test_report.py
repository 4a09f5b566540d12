"""What a check found, in words."""

from __future__ import annotations

from evcharge.verification.report import MOST_DETAILS, Report


def test_a_report_without_differences_is_equal_and_says_what_was_compared() -> None:
    report = Report()
    report.compared["sessions"] += 1234
    report.compared["stations"] += 5

    assert report.equal
    assert list(report.lines()) == []
    assert report.summary() == "compared 1,234 sessions, 5 stations"


def test_what_could_not_be_checked_is_said_with_what_was_compared() -> None:
    report = Report()
    report.compared["sessions"] += 2
    report.unchecked["stores that are dropped"] += 1_000

    assert report.equal
    assert report.summary() == "compared 2 sessions; not checked: 1,000 stores that are dropped"


def test_a_check_of_nothing_says_so() -> None:
    assert Report().summary() == "compared nothing"


def test_many_differences_of_one_sort_are_counted_and_a_few_are_told() -> None:
    report = Report()
    for number in range(1_000):
        report.differs("here", "missing", f"row {number}")
    report.differs("there", "changed", "x" * 1_000)

    lines = list(report.lines())

    assert not report.equal
    assert lines[0] == "here: 1,000 missing"
    assert lines[1] == "    row 0"
    assert lines[MOST_DETAILS + 1] == "    and 980 more"
    assert len(lines[-1]) < 500
