"""What a check looked at, and what was not as it has to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

MOST_DETAILS = 20
"""Differences of one sort that are kept with their details; the others are only counted."""

_LONGEST = 400


class Report:
    """Collects differences by place and sort, and counts what was compared."""

    def __init__(self) -> None:
        self.compared: Counter[str] = Counter()
        """How many of each kind of thing were compared: a check of nothing finds nothing."""
        self.unchecked: Counter[str] = Counter()
        """How many of each kind of thing could not be compared, and why."""
        self.differences: Counter[tuple[str, str]] = Counter()
        """How many there are by place (such as ``dead-letters``) and sort (such as ``missing``)."""
        self._details: dict[tuple[str, str], list[str]] = {}

    @property
    def equal(self) -> bool:
        """Whether everything is as it has to be."""
        return not self.differences

    def differs(self, where: str, sort: str, detail: str) -> None:
        """Note one difference."""
        self.differences[where, sort] += 1
        kept = self._details.setdefault((where, sort), [])
        if len(kept) < MOST_DETAILS:
            kept.append(detail if len(detail) <= _LONGEST else detail[:_LONGEST] + "…")

    def lines(self) -> Iterator[str]:
        """Yield the differences for a person, of each sort those that were found first."""
        for (where, sort), count in sorted(self.differences.items()):
            yield f"{where}: {count:,} {sort}"
            details = self._details[where, sort]
            yield from (f"    {detail}" for detail in details)
            if count > len(details):
                yield f"    and {count - len(details):,} more"

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs; ``details`` are of the first differences of each sort."""
        return {
            "compared": {what.replace(" ", "_"): count for what, count in self.compared.items()},
            "differences": [
                {
                    "where": where,
                    "sort": sort,
                    "count": count,
                    "details": self._details[where, sort],
                }
                for (where, sort), count in sorted(self.differences.items())
            ],
        }

    def summary(self) -> str:
        """Return in one sentence what was compared, and what could not be."""
        left_out = f"; not checked: {_counted(self.unchecked)}" if self.unchecked else ""
        return f"compared {_counted(self.compared) or 'nothing'}{left_out}"


def _counted(things: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in things.items())


def changed_fields(expected: Any, found: Any) -> str:
    """Return which fields of two named tuples of one type differ, and how."""
    return ", ".join(
        f"{name} is {has!r} instead of {wanted!r}"
        for name, wanted, has in zip(expected._fields, expected, found, strict=True)
        if wanted != has
    )
