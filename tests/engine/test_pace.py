"""How large a chunk may be follows from how long steps took."""

from __future__ import annotations

import asyncio

import pytest

from evcharge.engine.pace import LEAST_RECORDS, WAITED_SHARE, Pace, Stopwatch


def steps(pace: Pace, seconds_per_record: float, *, fixed_s: float = 0.0, number: int = 50) -> int:
    """Run full steps of this cost, return how many records the next one may have."""
    for _ in range(number):
        records = pace.most_records("t")
        pace.took("t", records, fixed_s + records * seconds_per_record)
    return pace.most_records("t")


def test_steps_come_to_last_as_long_as_they_may() -> None:
    pace = Pace(100_000, step_s=0.03)
    assert abs(steps(pace, 10e-6) - 3_000) < 10
    assert abs(steps(pace, 100e-6) - 300) < 5
    assert abs(steps(pace, 20e-6) - 1_500) < 10


def test_a_chunk_has_never_more_records_than_set() -> None:
    assert steps(Pace(2_000, step_s=0.03), 1e-6) == 2_000
    assert Pace(7).most_records("t") == 7
    assert steps(Pace(7), 10.0) == 7


def test_a_worker_begins_with_small_steps_whatever_ended_the_one_before() -> None:
    assert Pace(5_000).most_records("t") == LEAST_RECORDS


def test_a_step_is_never_so_small_that_nothing_would_get_done() -> None:
    assert steps(Pace(5_000), 10.0) == LEAST_RECORDS


def test_small_steps_say_nothing_about_large_ones() -> None:
    pace = Pace(5_000, step_s=0.03)
    for _ in range(100):
        pace.took("t", 1, 0.001)
    assert pace.most_records("t") == LEAST_RECORDS


def test_a_small_step_that_took_too_long_makes_the_next_ones_smaller() -> None:
    pace = Pace(5_000, step_s=0.03)
    assert steps(pace, 1e-6, number=4) == 800
    pace.took("t", 400, 0.06)
    assert pace.most_records("t") == 200


def test_topics_do_not_share_a_pace() -> None:
    pace = Pace(5_000)
    pace.took("quick", LEAST_RECORDS, 0.001)
    pace.took("slow", LEAST_RECORDS, 1.0)
    assert pace.most_records("slow") == LEAST_RECORDS < pace.most_records("quick")


def test_a_step_beside_another_process_counts_for_the_work_that_it_did() -> None:
    used, passed = iter([1.0, 1.03]), iter([70.0, 70.06])
    assert Stopwatch(lambda: next(used), lambda: next(passed)).seconds() == pytest.approx(0.03)


def test_a_step_that_waits_for_its_disk_counts_for_a_part_of_that() -> None:
    used, passed = iter([1.0, 1.03]), iter([70.0, 71.0])
    assert Stopwatch(lambda: next(used), lambda: next(passed)).seconds() == WAITED_SHARE


async def test_who_delivers_waits_for_the_step_or_until_it_is_given_up() -> None:
    pace = Pace(5_000)
    computed = pace.deliver()
    await asyncio.sleep(0)
    assert not computed.done()
    pace.took("t", 1, 0.001)
    await computed

    given_up = pace.deliver()
    pace.abandon()
    await given_up
    pace.abandon()
