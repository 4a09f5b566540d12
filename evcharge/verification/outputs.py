"""Whether a topic that evcharge writes holds exactly what it has to, each record once."""

from __future__ import annotations

from typing import NamedTuple

from evcharge.verification.report import Report, changed_fields


class Place(NamedTuple):
    """Where a record first arrived; names it for good."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class Output(NamedTuple):
    """A record that has to be in an output topic, and in which partition."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class ExpectedOutputs:
    """What an output topic has to hold, and what was found in it, whatever the order.

    Each record there says which device record it is about.
    """

    def __init__(self, where: str, report: Report) -> None:
        self._where = where
        self._report = report
        self._expected: dict[Place, list[Output]] = {}
        """Mostly one; several if somebody else writes to the rerouted topics."""
        self._found: dict[Place, int] = {}
        self._left_out: set[tuple[str, int]] = set()

    def leave_out(self, topic: str, partition: int) -> None:
        """Compare nothing of a device topic that first was in a partition, or has to be in it here.

        That is where not all is there any more from which it would follow.
        """
        self._left_out.add((topic, partition))

    def _is_left_out(self, place: Place, partition: int) -> bool:
        return not self._left_out.isdisjoint([place[:2], (place.topic, partition)])

    def add(self, place: Place, output: Output) -> None:
        """Expect a record."""
        self._expected.setdefault(place, []).append(output)

    def see(self, place: Place | None, offset: int, found: Output) -> None:
        """Compare a record that is there, at ``offset`` of its partition; all are expected by now."""
        if place is not None and self._is_left_out(place, found.partition):
            self._report.unchecked[f"records of {self._where}"] += 1
            return
        self._report.compared[f"records of {self._where}"] += 1
        here = f"the record at {found.partition}/{offset}"
        if place is None:
            self._report.differs(self._where, "surplus", f"{here} does not say what it is about")
            return
        wanted = self._expected.get(place)
        if wanted is None:
            self._report.differs(self._where, "surplus", f"{here} about {place}")
            return
        seen = self._found[place] = self._found.get(place, 0) + 1
        if seen > len(wanted):
            self._report.differs(self._where, "repeated", f"{here} about {place}, number {seen}")
        if found not in wanted:
            difference = changed_fields(wanted[0], found)
            self._report.differs(self._where, "changed", f"{here} about {place}: {difference}")

    def finish(self) -> None:
        """Note what was not found."""
        for place, wanted in self._expected.items():
            output = wanted[0]
            if self._is_left_out(place, output.partition):
                continue
            if self._found.get(place, 0) < len(wanted):
                shown = f"key {output.key!r}, value {(output.value or b'')[:60]!r}"
                self._report.differs(self._where, "missing", f"about {place}: {shown}")
