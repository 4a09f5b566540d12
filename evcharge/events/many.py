"""Many events converted at once, column by column, which takes less time than one by one.

What an event says is defined by the conversion of one. That of many is for events beyond all doubt: it
gives up where the other might refuse one of them or say anything else, and then fewer are tried.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from typing import Generic, TypeVar

import msgspec

from evcharge.events.received import Received
from evcharge.events.rejection import Rejected

E = TypeVar("E", bound=msgspec.Struct)
T = TypeVar("T")

FEW = 40
"""Events that take as long at once as one by one."""

_PIECES = 8


@dataclass(frozen=True, slots=True)
class Many(Generic[E, T]):
    """Converts the events of one topic."""

    usual: Callable[[Sequence[E]], list[bool]]
    """Which events are of the kind that ``convert`` is for."""
    convert: Callable[[Sequence[E], Sequence[Received]], list[T]]
    """What usual events say; raises anything if one of them needs a closer look."""

    def outcomes(
        self,
        events: Sequence[E],
        records: Sequence[Received],
        one_by_one: Callable[[Sequence[E], Sequence[Received]], list[T | Rejected]],
    ) -> list[T | Rejected]:
        """Return what becomes of each event, by its index: what ``one_by_one`` returns."""
        if len(events) <= FEW or not any(usual := self.usual(events)):
            return one_by_one(events, records)
        outcomes: list[T | Rejected] = []
        try:
            said = iter(self.convert([*compress(events, usual)], [*compress(records, usual)]))
        except Exception:  # noqa: BLE001 - whatever it is, pieces without it do not raise it
            size = -(-len(events) // _PIECES)
            for start in range(0, len(events), size):
                piece = slice(start, start + size)
                outcomes += self.outcomes(events[piece], records[piece], one_by_one)
            return outcomes
        others = [index for index, is_usual in enumerate(usual) if not is_usual]
        of_others = one_by_one([events[at] for at in others], [records[at] for at in others])
        for index, outcome in zip(others, of_others, strict=True):
            outcomes += islice(said, index - len(outcomes))
            outcomes.append(outcome)
        outcomes += said
        return outcomes
