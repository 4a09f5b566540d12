"""Local rows are believed beside their own changelog, and not after they were out of touch too long."""

from __future__ import annotations

import pytest

from evcharge.engine.local_rows import belong, lately_in_touch, touched
from evcharge.storage.partition_store import HISTORY, TRUSTED_MS, MemoryPartition

NAME = b"a name"
NOW_MS = 1_700_000_000_000
LAST = 41
"""The changelog offset of the last row that the store has."""


def store(touched_ms: int | None = NOW_MS) -> MemoryPartition:
    rows = MemoryPartition()
    written = {HISTORY: NAME, b"Sa": b"1"}
    rows.write(written if touched_ms is None else {**written, **touched(touched_ms)}, LAST)
    return rows


@pytest.mark.parametrize(("away_ms", "are_trusted"), [(TRUSTED_MS - 1, True), (TRUSTED_MS, False)])
def test_rows_that_were_out_of_touch_for_too_long_may_lack_deletions(
    away_ms: int, are_trusted: bool
) -> None:
    # One may have come and been forgotten by compaction since: the row would come back.
    assert lately_in_touch(store(), NOW_MS + away_ms) is are_trusted


def test_rows_that_do_not_say_when_they_were_in_touch_may_too() -> None:
    assert not lately_in_touch(store(None), NOW_MS)


def test_rows_beyond_the_changelog_or_of_another_one_do_not_belong_to_it() -> None:
    assert belong(store(), NAME, LAST + 1)
    assert belong(store(), NAME, LAST + 100)
    assert not belong(store(), NAME, LAST)
    assert not belong(store(), b"another", LAST + 100)
    assert not belong(store(), None, LAST + 100)
    assert not belong(MemoryPartition(), NAME, LAST + 100)
