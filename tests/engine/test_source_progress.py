"""What may be committed, and what may be fetched."""

from __future__ import annotations

import random

from evcharge.engine.source_progress import SourceProgress


def progress_at(offset: int = 0) -> SourceProgress[str]:
    progress: SourceProgress[str] = SourceProgress(3, most_bytes=1_000)
    progress.start("p", offset)
    return progress


def test_where_a_partition_starts_is_durable_and_no_more_before_a_chunk_is_done() -> None:
    progress = progress_at(5)
    progress.delivered("p", 9, 10, 1)
    assert progress.durable() == {"p": 5}


def test_a_done_chunk_can_be_committed_up_to_its_last_record() -> None:
    progress = progress_at()
    progress.delivered("p", 9, 10, 1)
    progress.done("p", 9)
    assert progress.durable() == {"p": 10}


def test_a_commit_never_passes_a_chunk_that_is_not_done() -> None:
    progress = progress_at()
    for last in (9, 19, 29):
        progress.delivered("p", last, last + 1, 1)
    progress.done("p", 29)
    progress.done("p", 19)
    assert progress.durable() == {"p": 0}
    progress.done("p", 9)
    assert progress.durable() == {"p": 30}


def test_gaps_between_offsets_do_not_stop_the_commit() -> None:
    progress = progress_at()
    progress.delivered("p", 3, 4, 1)
    progress.delivered("p", 1000, 1001, 1)
    progress.done("p", 3)
    progress.done("p", 1000)
    assert progress.durable() == {"p": 1001}


def test_a_partition_with_enough_chunks_under_way_is_not_fetched() -> None:
    progress = progress_at()
    for last in (1, 2, 3):
        assert progress.has_room("p")
        progress.delivered("p", last, last + 1, 1)
    assert not progress.has_room("p")
    progress.done("p", 1)
    assert progress.has_room("p")


def test_a_new_start_forgets_what_was_delivered_before() -> None:
    progress = progress_at()
    progress.delivered("p", 9, 10, 1)
    progress.start("p", 0)
    progress.done("p", 9)
    assert progress.durable() == {"p": 0}
    assert progress.next_offset("p") == 0


def test_a_partition_that_was_revoked_is_not_fetched_and_not_committed() -> None:
    progress = progress_at()
    progress.delivered("p", 9, 10, 1)
    progress.forget(["p"])
    progress.done("p", 9)
    assert not progress.has_room("p")
    assert progress.next_offset("p") is None
    assert progress.durable() == {}


def test_any_order_of_acks_commits_exactly_the_done_prefix() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        progress: SourceProgress[str] = SourceProgress(1_000, most_bytes=1_000)
        progress.start("p", 0)
        ends, last = [], -1
        for _ in range(rng.randint(1, 20)):
            last += rng.randint(1, 50)
            ends.append(last)
            progress.delivered("p", last, last + 1, 1)
        order = rng.sample(ends, len(ends))
        done: set[int] = set()
        for end in order:
            progress.done("p", end)
            done.add(end)
            prefix = [e for i, e in enumerate(ends) if set(ends[: i + 1]) <= done]
            expected = {"p": prefix[-1] + 1 if prefix else 0}
            assert progress.durable() == expected, f"seed {seed}"


def test_markers_of_transactions_behind_the_last_record_can_be_committed_too() -> None:
    progress = progress_at()
    progress.delivered("p", 9, 10, 1)
    progress.done("p", 9)
    progress.passed("p", 12)
    assert progress.durable() == {"p": 12}
    assert progress.next_offset("p") == 12


def test_what_holds_no_record_is_committed_with_the_chunk_before_it() -> None:
    progress = progress_at()
    progress.delivered("p", 9, 11, 1)
    progress.passed("p", 14)
    assert progress.next_offset("p") == 14
    assert progress.durable() == {"p": 0}
    progress.delivered("p", 19, 20, 1)
    progress.done("p", 9)
    assert progress.durable() == {"p": 14}
    progress.done("p", 19)
    assert progress.durable() == {"p": 20}


def test_what_is_under_way_in_all_partitions_together_has_a_bound_in_bytes() -> None:
    progress = progress_at()
    progress.start("q", 0)
    progress.delivered("p", 9, 10, 1_000)
    assert not progress.has_room("q")
    progress.done("p", 9)
    assert progress.has_room("q")


def test_bytes_of_chunks_that_were_given_up_make_room_again() -> None:
    progress = progress_at()
    progress.start("q", 0)
    progress.delivered("p", 9, 10, 600)
    progress.delivered("q", 9, 10, 600)
    progress.start("p", 0)
    assert progress.has_room("p")
    progress.delivered("p", 9, 10, 600)
    assert not progress.has_room("p")
    progress.forget({"q"})
    assert progress.has_room("p")
