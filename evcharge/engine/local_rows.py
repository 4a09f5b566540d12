"""Which local rows may be believed beside a changelog, and which are dropped and read anew.

Each changelog partition begins with a row that nobody ever writes again: a random name of its history.
Local rows restored from it or written along with it carry the same name. If the names differ, the
changelog was created anew, or this is another Kafka, and nothing of the local rows may be believed.

Nor may rows that were out of touch for so long that the changelog may have forgotten deletions since,
unless nothing was written since but fences. That can always be told: compaction leaves the last marker
of a source, and there is no step without one.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from evcharge.engine.chunk import FirstArrival
from evcharge.storage.partition_store import (
    HISTORY,
    RESERVED,
    TOUCHED,
    PartitionStore,
    Rows,
    was_in_touch,
)

FENCE = RESERVED + b"fence"
"""Key of the row with which a worker takes a partition over; its value names the worker."""


def touched(now_ms: int) -> Rows:
    """Return the row that says that rows written with it are complete up to this moment."""
    return {TOUCHED: now_ms.to_bytes(8, "big")}


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
    return was_in_touch(store.get(TOUCHED), now_ms)


def naming_row(worker: bytes) -> tuple[bytes, bytes]:
    """Return the row that a changelog begins with; its value says who wrote it."""
    return HISTORY + uuid.uuid4().bytes, worker


def name_in(key: bytes | None) -> bytes | None:
    """Return the name that a row gives to the history of its changelog, if it does."""
    return (key.removeprefix(HISTORY) or None) if key and key.startswith(HISTORY) else None


def rows_of(records: Sequence[FirstArrival], *, named: bool) -> dict[bytes, bytes | None]:
    """Return the last value of each row in changelog records; of several names the first counts.

    ``named``: whether the store has a name already.
    """
    # Rows of a changelog always have a key.
    rows = {record.key: record.value for record in records if record.key is not None}
    if not named and (name := next(filter(None, (name_in(each.key) for each in records)), None)):
        rows[HISTORY] = name
    return rows
