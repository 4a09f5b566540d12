"""Parts of an answer that needs all partitions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import msgspec


class Part(msgspec.Struct, kw_only=True):
    """One worker's part of an answer that needs all partitions."""

    partitions: list[int]
    """The partitions that this part covers wholly."""
    stale: list[int] = []
    """Those of them that were read from a copy."""


P = TypeVar("P", bound=Part)


def covered(parts: Iterable[Part]) -> frozenset[int]:
    """Return the partitions that parts cover."""
    return frozenset(partition for part in parts for partition in part.partitions)


async def part_of(partitions: frozenset[int], scan: Callable[[frozenset[int]], Awaitable[P]]) -> P:
    """Scan partitions; those that this worker loses meanwhile are left to their new owner."""
    while True:
        part = await scan(partitions)
        kept = frozenset(part.partitions)
        if kept == partitions:
            return part
        partitions = kept
