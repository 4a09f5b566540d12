"""Rows of a table's partition as they were found, in a changelog or in RocksDB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from evcharge.storage.partition_store import RESERVED, Marker, source_marker
from evcharge.verification.report import Report

T = TypeVar("T")

_UNREADABLE = (ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
"""What decoders raise about garbage, and about rows of another version."""


class Rows:
    """Rows that are looked at one by one; what nobody asked for is left over at the end."""

    def __init__(self, rows: Mapping[bytes, bytes]) -> None:
        self._rows = rows
        self._taken: set[bytes] = set()

    def take(self, key: bytes) -> bytes | None:
        """Return a row, ``None`` if there is none; it is accounted for."""
        self._taken.add(key)
        return self._rows.get(key)

    def numbered(self, first: int, behind: int) -> range:
        """Return the numbers from ``first`` to before ``behind`` that rows can have.

        A row that says how many others there are may be damaged: no more are looked for than one that is
        missing behind all that there can be.
        """
        return range(first, min(behind, first + len(self._rows) + 1))

    def left(self) -> Iterator[bytes]:
        """Yield the keys of rows that nobody asked for; the engine's own rows are none of them."""
        return (key for key in self._rows if key not in self._taken and is_of_table(key))


def is_of_table(key: bytes) -> bool:
    """Whether a row belongs to the table and not to the engine."""
    return not key.startswith(RESERVED)


def read_row(
    where: str, name: str, row: bytes | None, decode: Callable[[bytes], T], report: Report
) -> T | None:
    """Return what a row says; None if there is none, or it cannot be read, which is noted."""
    if row is None:
        return None
    try:
        return decode(row)
    except _UNREADABLE as problem:
        report.differs(where, "changed", f"{name} cannot be read: {problem!r}: {row[:100]!r}")
        return None


def check_left(where: str, rows: Rows, report: Report, kinds: bytes | None = None) -> None:
    """Note rows that should not be there; ``kinds``: only those of which a key's first byte is one."""
    for key in rows.left():
        if kinds is None or key[:1] in kinds:
            report.differs(where, "surplus", f"row {key!r}")


def check_markers(
    where: str, rows: Rows, last: Iterable[tuple[str, Marker | None]], report: Report
) -> None:
    """Compare the markers of the sources with the last record of each."""
    for topic, expected in last:
        value = rows.take(source_marker(topic))
        found = None if value is None else Marker.decode(value)
        if found != expected:
            report.differs(
                where, "not at the end of its source", f"{topic}: {found}, not {expected}"
            )
