"""Which elements hold at which value of one restricted quantity."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import xor
from typing import NamedTuple, Self

from evcharge.domain.pricing.usage import Exact
from evcharge.domain.tariff.restrictions import Range


class Bands(NamedTuple):
    """The line of numbers, cut wherever an element begins or ceases to hold.

    An element is a bit, by its place in the tariff. ``masks[i]`` holds from ``breaks[i - 1]`` (with it)
    until ``breaks[i]``.
    """

    breaks: tuple[Exact, ...]
    masks: tuple[int, ...]
    unknown: int
    """The elements that hold where the quantity is unknown: those that do not restrict it."""

    @classmethod
    def of(cls, ranges: Sequence[Range]) -> Self:
        """Cut at the bounds of the elements' ranges, one for each element."""
        flips: dict[Exact, int] = {}
        first = 0
        for place, (lower, upper) in enumerate(ranges):
            # One whose bounds are crossed never holds.
            empty = lower is not None and upper is not None and lower >= upper
            bit = 0 if empty else 1 << place
            if lower is None:
                first |= bit
            for bound in (lower, upper):
                if bound is not None:
                    flips[whole(bound)] = flips.get(whole(bound), 0) ^ bit
        # Integers are compared ten times faster than fractions, and nearly all bounds are whole.
        breaks = tuple(sorted(flips))
        masks = accumulate((flips[at] for at in breaks), xor, initial=first)
        return cls(breaks, tuple(masks), _mask(pair == (None, None) for pair in ranges))

    def at(self, value: Exact) -> int:
        """Return the elements that hold at a value."""
        return self.masks[bisect_right(self.breaks, value)]


def whole(number: Exact) -> Exact:
    """Return a number as an integer if it is one."""
    return number.numerator if number.denominator == 1 else number


def _mask(holds: Iterable[bool]) -> int:
    return sum(1 << place for place, each in enumerate(holds) if each)
