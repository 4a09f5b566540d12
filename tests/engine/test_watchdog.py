"""When a worker has to end because it gets nowhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evcharge.engine.watchdog import LONGEST_GAP_S, REBALANCE_PATIENCES, Watchdog

PATIENCE_S = 60.0
LONG = 10 * int(PATIENCE_S)


@pytest.fixture
def dog() -> Watchdog[str]:
    return Watchdog(PATIENCE_S)


def ends_at(look: Callable[[float], str | None], *, from_s: int = 0, for_s: int = LONG) -> int:
    """Look every second; return at which the worker had to end, -1 if it had not."""
    return next((now for now in range(from_s, from_s + for_s) if look(float(now))), -1)


def test_without_waiting_records_a_worker_may_rest_for_ever(dog: Watchdog[str]) -> None:
    assert ends_at(lambda now: dog.look(now, {"p": 5}, {"p": 5})) == -1


def test_a_partition_whose_records_wait_for_too_long_ends_the_worker(dog: Watchdog[str]) -> None:
    assert ends_at(lambda now: dog.look(now, {"p": 5}, {"p": 9})) == PATIENCE_S


def test_the_sentence_names_the_partition_and_what_waits(dog: Watchdog[str]) -> None:
    dog.look(0, {"p": 5}, {"p": 9})
    for now in range(1, 60):
        dog.look(now, {"p": 5}, {"p": 9})
    assert dog.look(60, {"p": 5}, {"p": 9}) == (
        "nothing of p behind offset 5 became durable for 60 s, though Kafka answers and has 4 records"
        " more"
    )


def test_the_slowest_progress_is_progress(dog: Watchdog[str]) -> None:
    assert ends_at(lambda now: dog.look(now, {"p": int(now) // 50}, {"p": 1_000_000})) == -1


def test_progress_of_one_partition_does_not_excuse_another(dog: Watchdog[str]) -> None:
    ends = {"p": 1_000_000, "q": 1}
    assert ends_at(lambda now: dog.look(now, {"p": int(now), "q": 0}, ends)) == PATIENCE_S


def test_the_time_in_which_kafka_did_not_answer_does_not_count(dog: Watchdog[str]) -> None:
    stuck = {"p": 5}, {"p": 9}
    assert ends_at(lambda now: dog.look(now, *stuck), for_s=59) == -1
    back = 59 + int(LONGEST_GAP_S) + 600
    assert ends_at(lambda now: dog.look(now, *stuck), from_s=back) == back + PATIENCE_S


def test_a_partition_that_left_is_not_watched(dog: Watchdog[str]) -> None:
    assert ends_at(lambda now: dog.look(now, {"p": 5}, {"p": 9}), for_s=59) == -1
    assert ends_at(lambda now: dog.look(now, {}, {"p": 9}), from_s=59) == -1


def test_a_rebalance_may_last_longer_but_not_for_ever(dog: Watchdog[str]) -> None:
    bound = PATIENCE_S * REBALANCE_PATIENCES
    assert ends_at(dog.look_at_rebalance, for_s=LONG + 1) == bound
    assert "a rebalance did not end for 600 s" in (dog.look_at_rebalance(bound) or "")


def test_a_rebalance_begins_the_patience_anew(dog: Watchdog[str]) -> None:
    stuck = {"p": 5}, {"p": 9}
    for now in range(0, 2 * LONG, 50):
        assert ends_at(lambda now: dog.look(now, *stuck), from_s=now, for_s=49) == -1
        assert dog.look_at_rebalance(now + 49) is None


def test_rebalances_one_after_the_other_are_not_one(dog: Watchdog[str]) -> None:
    for now in range(0, 4 * LONG, 60):
        assert ends_at(dog.look_at_rebalance, from_s=now, for_s=59) == -1
        assert dog.look(now + 59, {"p": 5}, {"p": 5}) is None


def test_a_rebalance_without_kafka_does_not_count(dog: Watchdog[str]) -> None:
    assert ends_at(dog.look_at_rebalance, for_s=599) == -1
    assert ends_at(dog.look_at_rebalance, from_s=599 + 60, for_s=599) == -1
