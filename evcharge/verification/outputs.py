"""Whether a topic that evcharge writes holds exactly what it has to, each record once."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from evcharge.verification.report import Report


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


class _Wanted(NamedTuple):
    """What is remembered of a record that has to be there: there are many, of up to a megabyte."""

    partition: int
    digest: bytes
    """Eight bytes of each of the other fields."""

    def difference(self, found: Output) -> str:
        """Return how a record differs, nothing if it does not."""
        digest = _digest(found)
        fields = zip(("key", "value", "headers"), found[1:], range(0, 24, 8), strict=True)
        wrong = [
            f"its {name} should not be {field!r}"
            for name, field, at in fields
            if digest[at : at + 8] != self.digest[at : at + 8]
        ]
        if found.partition != self.partition:
            wrong.insert(0, f"it should be in partition {self.partition}")
        return ", ".join(wrong)


def _digest(output: Output) -> bytes:
    return b"".join(blake2b(repr(each).encode(), digest_size=8).digest() for each in output[1:])


class ExpectedOutputs:
    """What an output topic has to hold, and what was found in it, whatever the order.

    Each record there says which device record it is about.
    """

    def __init__(self, where: str, report: Report) -> None:
        self._where = where
        self._report = report
        self._expected: dict[Place, tuple[_Wanted, ...]] = {}
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
        wanted = _Wanted(output.partition, _digest(output))
        self._expected[place] = (*self._expected.get(place, ()), wanted)

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
        differences = [each.difference(found) for each in wanted]
        if all(differences):
            self._report.differs(self._where, "changed", f"{here} about {place}: {differences[0]}")

    def finish(self) -> None:
        """Note what was not found."""
        for place, wanted in self._expected.items():
            partition = wanted[0].partition
            if self._is_left_out(place, partition):
                continue
            if self._found.get(place, 0) < len(wanted):
                what = f"about {place}, in partition {partition}"
                self._report.differs(self._where, "missing", what)
