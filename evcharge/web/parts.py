"""Parts of an answer that needs all partitions."""

from __future__ import annotations

from collections.abc import Iterable
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
