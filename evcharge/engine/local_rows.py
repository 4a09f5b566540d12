"""Which local rows may be believed beside a changelog, and which are dropped and read anew.

Each changelog partition begins with a row that nobody ever writes again: a random name of its history.
Local rows restored from it or written along with it carry the same name. If the names differ, the
changelog was created anew, or this is another Kafka, and nothing of the local rows may be believed.

Nor may rows that were out of touch for so long that the changelog may have forgotten deletions since,
unless nothing was written since but fences. That can always be told: compaction leaves the last marker
of a source, and there is no step without one.
"""

from __future__ import annotations

from collections.abc import Sequence

from evcharge.engine.chunk import FirstArrival
from evcharge.storage.partition_store import RESERVED, PartitionStore, Rows

HISTORY = RESERVED + b"history"
"""Key of the first row of a changelog partition."""

FENCE = RESERVED + b"fence"
"""Key of the row with which a worker takes a partition over; its value names the worker."""

_TOUCHED = RESERVED + b"touched"
"""Key of a row that is only local: the time up to which the changelog was followed, in milliseconds."""

TRUSTED_MS = 12 * 3_600_000
"""Half of the time for which compaction keeps deletions (``delete.retention.ms``, a day)."""


def touched(now_ms: int) -> Rows:
    """Return the row that says that rows written with it are complete up to this moment."""
    return {_TOUCHED: now_ms.to_bytes(8, "big")}


def belong(store: PartitionStore, history: bytes | None, end: int) -> bool:
    """Whether rows of a store are those of its changelog at some time in its past.

    ``history`` is the changelog's name, ``end`` the offset behind its last record: a store beyond that
    has rows that Kafka has lost.
    """
    applied = store.changelog_offset()
    return (
        applied is not None
        and applied < end
        and history is not None
        and store.get(HISTORY) == history
    )


def lately_in_touch(store: PartitionStore, now_ms: int) -> bool:
    """Whether what a store lacks of its changelog is all there still, deletions too."""
    value = store.get(_TOUCHED)
    return value is not None and now_ms - int.from_bytes(value, "big") < TRUSTED_MS


def rows_of(records: Sequence[FirstArrival], start: int) -> dict[bytes, bytes | None]:
    """Return the last value of each row in changelog records; ``start`` is the changelog's first offset.

    Two workers may both have found a changelog empty and named its history: the first name counts.
    """
    # Rows of a changelog always have a key.
    rows = {record.key: record.value for record in records if record.key is not None}
    if HISTORY in rows:
        first = records[0]
        if first.offset == start and first.key == HISTORY:
            rows[HISTORY] = first.value
        else:
            del rows[HISTORY]
    return rows
