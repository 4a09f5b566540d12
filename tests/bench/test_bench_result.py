"""`result.json` as the contract has it, the table, and the page made from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.page import filled, machine_table, profile_table
from bench.result import as_text, at_least, at_most, missing, rounded, shown, write
from bench.statistics import Spread


def test_a_figure_has_the_members_of_the_contract() -> None:
    assert at_least("rate", 120_000.4, "events/s", 100_000).as_json() == {
        "name": "rate",
        "value": 120_000,
        "unit": "events/s",
        "target": ">= 100000",
        "met": True,
    }


@pytest.mark.parametrize(("value", "met"), [(99.9, False), (100.0, True), (100.1, True)])
def test_at_least_is_met_from_the_bound_on(value: float, met: bool) -> None:
    assert at_least("it", value, "", 100).met is met


@pytest.mark.parametrize(("value", "met"), [(99.9, True), (100.0, True), (100.1, False)])
def test_at_most_is_met_up_to_the_bound(value: float, met: bool) -> None:
    assert at_most("it", value, "", 100).met is met


def test_of_repeated_runs_the_median_counts_and_least_and_most_are_told() -> None:
    figure = at_least("it", Spread(5.0, 1.0, 9.0, 5), "x", 4).as_json()

    assert (figure["value"], figure["met"]) == (5, True)
    assert (figure["min"], figure["max"], figure["runs"]) == (1, 9, 5)


def test_what_has_no_target_cannot_be_missed() -> None:
    assert shown("it", 1.0, "s").as_json()["target"] is None
    assert shown("it", 1.0, "s").met


def test_what_could_not_be_measured_is_missed() -> None:
    assert not missing("it").met
    assert missing("it").as_json()["value"] is None


def test_a_value_that_rounds_to_the_bound_has_still_missed_it() -> None:
    figure = at_most("it", 4.00004, "s", 4)

    assert (figure.as_json()["value"], figure.met) == (4, False)


@pytest.mark.parametrize(
    ("value", "text"), [(123_456.0, 123_500), (12.3456, 12.35), (0.0123456, 0.01235), (None, None)]
)
def test_four_digits_are_told(value: float | None, text: float | None) -> None:
    assert rounded(value) == text


def test_the_file_is_a_list_of_figures(tmp_path: Path) -> None:
    figures = [shown("a", 1.0, "s"), at_most("b", 2.0, "ms", 1)]
    write(figures, tmp_path / "new" / "result.json")

    read = json.loads((tmp_path / "new" / "result.json").read_text())
    assert [each["name"] for each in read] == ["a", "b"]
    assert [each["met"] for each in read] == [True, False]


def test_the_table_begins_with_ratios_and_names_what_was_missed() -> None:
    figures = [at_most("late", 2.0, "ms", 1), at_least("faster", 3.0, "x", 2)]
    lines = as_text([each.as_json() for each in figures]).splitlines()

    assert lines[2].startswith("faster")
    assert lines[2].endswith("met")
    assert lines[3].startswith("late")
    assert lines[3].endswith("MISSED")


PAGE = "before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n"


def test_only_what_is_between_the_marks_changes() -> None:
    page = filled(PAGE, {"figures": "new"})

    assert page == "before\n<!-- figures -->\nnew\n<!-- end of figures -->\nafter\n"


def test_a_page_without_a_place_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places for machine"):
        filled(PAGE, {"machine": "new"})


def test_the_committed_page_has_a_place_for_everything() -> None:
    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")

    assert filled(page, dict.fromkeys(("figures", "machine", "profile"), "new")) != page


def test_the_machine_is_a_table_of_its_record() -> None:
    assert machine_table({"memory": "24 GB"}).endswith("\n| memory | 24 GB |")


def test_the_profile_of_each_job_puts_small_rooms_together_and_ends_with_the_sum() -> None:
    table = profile_table(
        {"usual": {"events": 9.0, "storage": 0.95, "yarl": 0.04}, "large": {"storage": 5.0}}
    )

    assert table.startswith("| room or library | usual | large |\n| --- | --- | --- |")
    assert "| events | 9.00 | 0.00 |" in table
    assert "| storage | 0.95 | 5.00 |" in table
    assert "| everything else | 0.04 | 0.00 |" in table
    assert table.endswith("| **µs per event** | 9.99 | 5.00 |")
