"""How far a check has come: reading may take minutes, and so may what is done between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Progress: TypeAlias = Callable[[int, str], object]
"""Called often with the number of records read and what is being checked."""

Compared: TypeAlias = Callable[[int], object]
"""Called after each thing of a partition with the number of those that were compared."""


def silent(_: int) -> None:
    """Tell nobody."""


def telling(things: Iterable[T], compared: Compared) -> Iterator[T]:
    """Yield each thing, and tell when it is done."""
    for number, each in enumerate(things, 1):
        yield each
        compared(number)
