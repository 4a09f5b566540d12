"""The invoices and credit notes of a partition while they are audited: in a file, found by their ids."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import msgspec

_decode = msgspec.json.Decoder().decode


class _Place(NamedTuple):
    begin: int
    length: int
    is_taken: bool = False


class Documents:
    """Documents by id, as a context manager; each is taken once, and can be looked at ever after.

    Memory: about 250 bytes for each document; they themselves are in a temporary file.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._places: dict[str, _Place] = {}
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, name: str, value: bytes) -> bool:
        """Keep a document; returns False, and keeps nothing, if there is one with its id."""
        if name in self._places:
            return False
        self._file.seek(self._end)
        self._file.write(value)
        self._places[name] = _Place(self._end, len(value))
        self._end += len(value)
        return True

    def take(self, name: str) -> dict[str, Any] | None:
        """Return a document, which then is taken; None if there is none that is not."""
        place = self._places.get(name)
        if place is None or place.is_taken:
            return None
        self._places[name] = place._replace(is_taken=True)
        return self._read(place)

    def look(self, name: str) -> dict[str, Any] | None:
        """Return a document, taken or not; None if there is none."""
        place = self._places.get(name)
        return None if place is None else self._read(place)

    def rest(self) -> Iterator[dict[str, Any]]:
        """Yield the documents that were not taken."""
        for place in self._places.values():
            if not place.is_taken:
                yield self._read(place)

    def forget(self, name: str) -> None:
        """Be as if a document had never been added."""
        self._places.pop(name, None)

    def _read(self, place: _Place) -> dict[str, Any]:
        self._file.seek(place.begin)
        document: dict[str, Any] = _decode(self._file.read(place.length))
        return document
