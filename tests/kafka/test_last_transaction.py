"""What follows from the last transaction of a transactional id about what is still open somewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiokafka.structs import TopicPartition

from evcharge.kafka.last_transaction import CLOCKS_APART_MS, LastTransaction

INSIDE, OUTSIDE = TopicPartition("invoices", 0), TopicPartition("invoices", 1)

ONGOING = LastTransaction(7, "Ongoing", 5_000, frozenset({INSIDE}), one_clock=True)
ABORTED = LastTransaction(7, "CompleteAbort", 5_000, one_clock=True)
COMMITTED = LastTransaction(7, "CompleteCommit", 5_000)
EMPTY = LastTransaction(7, "Empty")


@pytest.mark.parametrize("state", ["PrepareCommit", "CompleteCommit"])
@pytest.mark.parametrize("tp", [INSIDE, OUTSIDE])
def test_all_that_is_open_behind_a_committed_transaction_was_committed(
    state: str, tp: TopicPartition
) -> None:
    assert replace(ONGOING, state=state).was_committed(tp, 4_000) is True


def test_only_what_a_transaction_has_itself_open_is_aborted_with_it() -> None:
    assert ONGOING.was_committed(INSIDE) is False
    assert ONGOING.was_committed(OUTSIDE) is True


@pytest.mark.parametrize("state", ["PrepareAbort", "PrepareEpochFence"])
def test_a_partition_that_kafka_has_left_out_is_not_taken_for_one_of_before(state: str) -> None:
    last = replace(ONGOING, state=state)
    assert last.was_committed(INSIDE) is False
    assert last.was_committed(OUTSIDE) is None
    assert last.was_committed(OUTSIDE, 5_000) is False


def test_what_was_written_since_an_aborted_transaction_began_was_aborted_the_rest_is_unknown() -> (
    None
):
    assert ABORTED.was_committed(INSIDE, 5_000) is False
    assert ABORTED.was_committed(INSIDE, 4_999) is None
    assert ABORTED.was_committed(INSIDE) is None
    assert replace(ABORTED, began_ms=-1).was_committed(INSIDE, 5_000) is None


def test_times_of_two_brokers_have_to_be_further_apart_than_their_clocks() -> None:
    last = replace(ABORTED, one_clock=False)
    assert last.was_committed(INSIDE, 5_000 + CLOCKS_APART_MS - 1) is None
    assert last.was_committed(INSIDE, 5_000 + CLOCKS_APART_MS) is False


@pytest.mark.parametrize("last", [EMPTY, LastTransaction()])
def test_nothing_follows_from_a_transactional_id_without_a_transaction(
    last: LastTransaction,
) -> None:
    assert not last.is_known
    assert last.was_committed(INSIDE, 5_000) is None


@pytest.mark.parametrize("last", [ONGOING, ABORTED, COMMITTED])
def test_all_other_states_tell_something(last: LastTransaction) -> None:
    assert last.is_known


def test_an_ongoing_one_that_was_over_when_it_was_taken_over_can_have_ended_either_way() -> None:
    after = ONGOING.ended(None)
    assert after.was_committed(INSIDE) is None
    assert after.was_committed(OUTSIDE) is True


def test_an_ongoing_one_that_the_take_over_waited_for_was_aborted() -> None:
    for heard in (replace(ONGOING, state="PrepareAbort", tps=frozenset()), ABORTED):
        assert ONGOING.ended(heard).was_committed(INSIDE) is False
        assert ONGOING.ended(heard).was_committed(OUTSIDE) is True


def test_what_was_heard_last_counts_if_a_former_owner_has_gone_on() -> None:
    other = LastTransaction(7, "PrepareAbort", 6_000, frozenset({OUTSIDE}))
    assert ONGOING.ended(other) == other
    assert ONGOING.ended(COMMITTED) == COMMITTED
    assert COMMITTED.ended(other) == other
    assert COMMITTED.ended(None) == COMMITTED
