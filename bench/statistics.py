"""Numbers of many measurements: nothing here knows what they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median


@dataclass(frozen=True)
class Spread:
    """Repeated measurements of one thing."""

    median: float
    least: float
    most: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise; there is at least one value."""
        return cls(median(values), min(values), max(values), len(values))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the least value that at least so many per cent of all do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values, no percentile")
    rank = max(1, ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """How many times theirs ours is: of the medians, and of the runs that took place together.

    Runs alternate, so the first of ours ran in the same minutes as the first of theirs: what else the
    machine did then weighs on both.
    """
    paired = [mine / other for mine, other in zip(ours, theirs, strict=False)]
    return Spread(median(ours) / median(theirs), min(paired), max(paired), len(paired))
