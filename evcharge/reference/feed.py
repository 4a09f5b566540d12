"""What a follower needs of the place that it reads a topic into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class ReferenceRecord(NamedTuple):
    """One record of a reference topic."""

    offset: int
    append_ms: int
    """The broker's append time in milliseconds."""
    key: bytes | None
    value: bytes | None


class Position(NamedTuple):
    """The last record that was applied; recognised again after a restart by both facts."""

    offset: int
    append_ms: int


class Feed(Protocol):
    """One reference topic's contents, as far as they were read."""

    topic: str
    """The topic's name in the catalogue."""

    @property
    def position(self) -> Position | None:
        """The last record applied, ``None`` at the beginning."""

    def apply(self, records: Sequence[ReferenceRecord]) -> None:
        """Take records in offset order, all or none; what is invalid is left out, never raised."""

    def clear(self) -> None:
        """Forget everything, position included: the topic is another one now."""
