"""A process that did not run for too long must not write."""

from __future__ import annotations

import pytest

from evcharge.kafka.awake import LONGEST_SLEEP_S, Awake, SleptError


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_process_that_is_asked_all_the_time_may_go_on_for_ever() -> None:
    clock = Clock()
    awake = Awake(clock)
    for _ in range(10):
        clock.now += LONGEST_SLEEP_S
        awake.check()


def test_a_process_that_slept_too_long_may_not_write_however_often_it_asks() -> None:
    clock = Clock()
    awake = Awake(clock)
    clock.now += LONGEST_SLEEP_S + 1
    for _ in range(3):
        with pytest.raises(SleptError, match="did not run for 3601 s"):
            awake.check()


def test_the_clock_of_this_process_counts_suspended_time_where_the_system_can() -> None:
    Awake().check()
