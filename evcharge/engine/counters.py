"""What the lane counts, by name and label, since the process started."""

from __future__ import annotations

from collections import Counter


class Counters:
    """Plain counters; ``/metrics`` reads them."""

    def __init__(self) -> None:
        self.values: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, label: str, amount: int) -> None:
        """Add to a counter."""
        if amount:
            self.values[name, label] += amount
