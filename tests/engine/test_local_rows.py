"""Local rows are believed beside their own changelog, and not after they were out of touch too long."""

from __future__ import annotations

import pytest

from evcharge.engine.local_rows import HISTORY, TRUSTED_MS, believable, touched
from evcharge.storage.partition_store import MemoryPartition

NAME = b"a name"
NOW_MS = 1_700_000_000_000
LAST = 41
"""The changelog offset of the last row that the store has."""
FAR = LAST + 100
"""Where the changelog ends by now."""


def store(touched_ms: int | None = NOW_MS) -> MemoryPartition:
    rows = MemoryPartition()
    written = {HISTORY: NAME, b"Sa": b"1"}
    rows.write(written if touched_ms is None else {**written, **touched(touched_ms)}, LAST)
    return rows


@pytest.mark.parametrize(("away_ms", "are_believed"), [(TRUSTED_MS - 1, True), (TRUSTED_MS, False)])
def test_rows_that_were_out_of_touch_for_too_long_are_not_believed(
    away_ms: int, are_believed: bool
) -> None:
    # A deletion may have come and been forgotten by compaction since: the row would come back.
    assert believable(store(), NAME, FAR, NOW_MS + away_ms) is are_believed


def test_rows_that_do_not_say_when_they_were_in_touch_are_not_believed() -> None:
    assert not believable(store(None), NAME, FAR, NOW_MS)


@pytest.mark.parametrize("end", [LAST + 1, LAST + 2], ids=["all", "all but a marker"])
def test_rows_that_lack_nothing_are_believed_however_old_they_are(end: int) -> None:
    assert believable(store(), NAME, end, NOW_MS + 1_000 * TRUSTED_MS)


def test_rows_beyond_the_changelog_or_of_another_one_are_not_believed() -> None:
    assert not believable(store(), NAME, LAST, NOW_MS)
    assert not believable(store(), b"another", FAR, NOW_MS)
    assert not believable(store(), None, FAR, NOW_MS)
    assert not believable(MemoryPartition(), NAME, FAR, NOW_MS)
