"""Medians, spreads, percentiles, ratios."""

from __future__ import annotations

import pytest

from bench.race import cpu_at
from bench.statistics import Spread, percentile, ratios
from bench.where_time_goes import per_event


def test_a_spread_has_median_least_most_and_how_many() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0, 3)


def test_a_single_value_is_its_own_spread() -> None:
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0, 1)


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (100, 100), (0.5, 1)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, value: float) -> None:
    assert percentile([float(each) for each in range(100, 0, -1)], percent) == value


def test_the_99th_percentile_of_few_values_is_the_largest() -> None:
    assert percentile([1.0, 2.0, 9.0], 99) == 9.0


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_runs_of_one_turn() -> None:
    assert ratios([10.0, 20.0, 30.0], [5.0, 4.0, 5.0]) == Spread(4.0, 2.0, 6.0, 3)


def test_cpu_between_two_looks_is_taken_as_used_evenly() -> None:
    assert cpu_at([(10.0, 1.0), (12.0, 3.0)], 11.0) == 2.0


@pytest.mark.parametrize(("at", "used"), [(9.0, 1.0), (12.0, 3.0), (99.0, 3.0)])
def test_cpu_outside_of_all_looks_is_that_of_the_nearest(at: float, used: float) -> None:
    assert cpu_at([(10.0, 1.0), (12.0, 3.0)], at) == used


def test_the_profile_is_what_was_used_between_first_and_last_output_per_event() -> None:
    kept = [(1.0, {"a": 1.0}), (2.0, {"a": 2.0, "b": 0.5}), (3.0, {"a": 4.0, "b": 3.5})]

    assert per_event(kept, first_s=1.0, last_s=3.0, events=1e6) == {"b": 3.5, "a": 3.0}
