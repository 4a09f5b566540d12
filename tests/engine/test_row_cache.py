"""The rows that are kept in memory: the newest values only, and never more than was allowed."""

from __future__ import annotations

import random

import pytest

from evcharge.engine.row_cache import ENTRY_BYTES, JUDGED_ROWS, CachedRows, RowCache

ROW = b"0123456789"
SIZE = ENTRY_BYTES + 8 + len(ROW)
"""Bytes of an entry of these tests."""


def keys(first: int, last: int) -> list[bytes]:
    return [b"S%07d" % number for number in range(first, last)]


def rows(first: int, last: int) -> dict[bytes, bytes]:
    return dict.fromkeys(keys(first, last), ROW)


def test_a_row_is_found_with_its_newest_value() -> None:
    cached = RowCache(100 * SIZE).partition()
    cached.put({b"S1": b"old", b"S2": b"other"})
    cached.put({b"S1": b"new"})

    assert cached.get(b"S1") == b"new"
    assert cached.get(b"S2") == b"other"
    assert cached.get(b"S3") is None


def test_an_old_value_never_comes_back() -> None:
    cached = RowCache(10 * SIZE).partition()
    cached.put({b"S0000000": b"old"})
    # when the value is replaced in the next generation, and another one begins
    cached.put(rows(1, 6))
    cached.put({b"S0000000": b"new"})
    cached.put(rows(6, 10))
    cached.put(rows(10, 13))

    assert cached.get(b"S0000000") in {b"new", None}


@pytest.mark.parametrize("seed", range(3))
def test_the_bound_holds_over_all_partitions_and_whatever_is_put(seed: int) -> None:
    chance = random.Random(seed)
    cache = RowCache(200 * SIZE)
    partitions = [cache.partition() for _ in range(5)]
    for _ in range(2_000):
        cached = chance.choice(partitions)
        cached.put(
            {
                b"S%07d" % chance.randrange(3_000): bytes(chance.randrange(200))
                for _ in range(chance.randrange(10))
            }
        )
        if chance.random() < 0.02:
            cache.drop(cached)
            partitions[partitions.index(cached)] = cache.partition()

        assert 0 <= cache.used_bytes <= 200 * SIZE + 10 * (SIZE + 200)
        assert cache.used_bytes == sum(each.young_bytes + each.old_bytes for each in partitions)


def test_a_row_that_grows_counts_with_its_growth() -> None:
    cache = RowCache(1_000_000)
    cached = cache.partition()
    cached.put({b"S1": b"x" * 10})
    before = cache.used_bytes
    cached.put({b"S1": b"x" * 5_010})

    assert cache.used_bytes == before + 5_000


def test_rows_that_stay_in_use_outlive_those_that_pass_by() -> None:
    cached = RowCache(1_000 * SIZE).partition()
    hot = rows(0, 100)
    for passing in range(1_000, 20_000, 100):
        cached.put(hot)
        cached.put(rows(passing, passing + 100))

    assert all(cached.get(key) is not None for key in hot)
    assert cached.get(b"S%07d" % 1_000) is None


def test_a_dropped_partition_leaves_its_room_to_the_others() -> None:
    cache = RowCache(1_000 * SIZE)
    leaving, staying = cache.partition(), cache.partition()
    leaving.put(rows(0, 400))
    staying.put(rows(0, 50))
    cache.drop(leaving)

    assert cache.used_bytes == 50 * SIZE
    assert leaving.get(b"S%07d" % 1) is None
    assert staying.get(b"S%07d" % 1) == ROW


def test_a_cache_too_small_for_the_rows_in_use_stops_replacing_them() -> None:
    # given a hundred times more rows in use, all alike, than there is room for
    cache = RowCache(1_000 * SIZE)
    cached = cache.partition()
    for first in range(0, 3 * JUDGED_ROWS, 100):
        use(rows(first % 100_000, first % 100_000 + 100), cached)
    assert cache.choosy
    # when few are in use again
    for _ in range(3 * JUDGED_ROWS // 100):
        use(rows(0, 100), cached)
    # then they are let in
    assert not cache.choosy
    assert all(cached.get(key) is not None for key in keys(0, 100))


def use(these: dict[bytes, bytes], cached: CachedRows) -> None:
    for key in these:
        cached.get(key)
    cached.put(these)


def test_a_choosy_cache_still_takes_the_newest_values_of_the_rows_it_has() -> None:
    cache = RowCache(1_000 * SIZE)
    cached = cache.partition()
    cached.put(rows(0, 100))
    cache.choosy = True
    for number in range(20):
        cached.put({b"S0000007": b"%d" % number})

    assert cached.get(b"S0000007") == b"19"
