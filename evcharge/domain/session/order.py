"""The order of a session's records, which makes a session a function of their set.

Contract, *Sessions*: "Records are ordered by timestamp (a closed session's is its ``end_time``), seq
(absent first), kind (start, update, end or closed), hash of the canonical value; equal ones count once,
with their smallest ingest time."
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, TypeAlias

from evcharge.domain.session_record import RecordKind, SessionRecord

Position: TypeAlias = tuple[int, bool, int, int]
"""Timestamp, whether there is a seq, the seq, the kind's rank. Different records can share one."""

Value: TypeAlias = tuple[Any, ...]
"""What a record says, without where and when it was appended."""

END_RANK = int(RecordKind.END)
"""An end and a closed session are facts of one rank; their kinds are numbered from here on."""


def position(record: SessionRecord) -> Position:
    """Return a record's place in the order, up to ties."""
    seq = record.seq
    return (record.timestamp_us, seq is not None, seq or 0, min(record.kind, END_RANK))


def value(record: SessionRecord) -> Value:
    """Return what makes two records of a session equal: all but ingest time, partition, offset."""
    return (record.kind, record.timestamp_us, *record[7:])


def digest(record: SessionRecord) -> bytes:
    """Return the hash that orders records of one position, the same in every process and release.

    Fields that a later release adds are empty in older records; so empty ones at the end are left out.
    """
    fields = [int(record.kind), *value(record)[1:]]
    while fields[-1] is None:
        fields.pop()
    return blake2b(ascii(fields).encode("ascii"), digest_size=16).digest()


def first_appearance(record: SessionRecord) -> tuple[int, int, int]:
    """Return what orders equal records: the one that was appended first counts."""
    return (record.ingest_us, record.partition, record.offset)


def distinct(records: Iterable[SessionRecord]) -> dict[Value, SessionRecord]:
    """Return each different record once, at its first appearance."""
    kept: dict[Value, SessionRecord] = {}
    for record in records:
        known = kept.setdefault(value(record), record)
        if known is not record and first_appearance(record) < first_appearance(known):
            kept[value(record)] = record
    return kept


def in_order(records: Iterable[SessionRecord]) -> list[SessionRecord]:
    """Sort different records. The hash is only computed where the position does not decide."""
    ordered = sorted(records, key=position)
    positions = [position(record) for record in ordered]
    if len(set(positions)) == len(ordered):
        return ordered
    shared = Counter(positions)

    def key(record: SessionRecord) -> tuple[Position, bytes]:
        at = position(record)
        return (at, digest(record) if shared[at] > 1 else b"")

    return sorted(ordered, key=key)
