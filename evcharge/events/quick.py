"""The usual events read in one pass without the models, several times as fast.

What may arrive is said by the pydantic models alone. A quick reader takes an array of events only if it
is beyond doubt that the models accept each of them and find the same in it; otherwise it takes none, and
the models are asked. So nothing is accepted or rejected because of a quick reader.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import msgspec

E = TypeVar("E", bound=msgspec.Struct)

_OF_IDS = bytes(sorted(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:*~+@-"))


class DoubtError(Exception):
    """An event that was read quickly is not as the models want it."""


LONGEST = 4300
"""Bytes of a record that is read quickly. The models read no integer of more digits, wherever it is."""


class QuickReader(Generic[E]):
    """Reads arrays of the events of one topic."""

    def __init__(
        self, shape: type[E], ids: Callable[[Sequence[E]], Iterable[Sequence[str]]]
    ) -> None:
        """``shape`` has a member of its strict type and limits for each field of each model.

        ``ids`` returns the members of events that are ids, by column; their letters are looked at here.
        """
        self._decode = msgspec.json.Decoder(list[shape]).decode  # type: ignore[valid-type]
        self._ids = ids

    def read(self, joined: bytes) -> list[E] | None:
        """Return the events of a JSON array of flat objects, ``None`` if there is any doubt."""
        # Unknown fields are skipped and not decoded: neither their UTF-8, nor their escapes, nor how
        # deeply they are nested is looked at.
        if not joined.isascii() or b"\\" in joined or joined.find(b"[", 1) > 0:
            return None
        try:
            events = self._decode(joined)
        except msgspec.MsgspecError:
            return None
        letters = "".join(map("".join, self._ids(events))).encode()
        return None if letters.translate(None, _OF_IDS) else events
