"""Remembers which dead letters were redriven, so that a second `redrive` sends the newer ones only.

One compacted record for each selection that was ever redriven: how far, in every partition. Offsets of
a consumer group would be forgotten by Kafka a week after the last redrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from evcharge.dead_letters.letter import DeadLetter, Selection


class _Key(msgspec.Struct, frozen=True, omit_defaults=True):
    reason: str | None = None
    topic: str | None = None


class _Value(msgspec.Struct):
    offsets: dict[int, int]
    v: int = 1


class Marks:
    """Next offset to redrive, by selection and partition."""

    def __init__(self) -> None:
        self._next: dict[Selection, dict[int, int]] = {}

    @classmethod
    def decode(cls, records: Iterable[tuple[bytes | None, bytes | None]]) -> Marks:
        """Read marks from keys and values in offset order; what is not ours is passed over.

        The last record of a selection counts, also where it says less than one before it: the topic
        of the dead letters may have been made anew between them.
        """
        marks = cls()
        for key, value in records:
            try:
                selection = msgspec.json.decode(key or b"", type=_Key)
                offsets = msgspec.json.decode(value or b"", type=_Value).offsets
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            marks._next[Selection(selection.reason, selection.topic)] = offsets
        return marks

    def advance(self, selection: Selection, offsets: Mapping[int, int]) -> None:
        """Note that everything of a selection before these offsets was redriven."""
        known = self._next.setdefault(selection, {})
        for partition, offset in offsets.items():
            known[partition] = max(offset, known.get(partition, 0))

    def forget_another_topic(self, ends: Mapping[int, int]) -> list[Selection]:
        """Forget everything if it is of another topic than the one that ends there.

        A mark behind the end is of a topic that was made anew since, and so are the marks beside it,
        wherever they are. What is sent again for that counts once. Returns the selections whose marks
        have to be kept anew, none if all is well.
        """
        if all(
            offset <= ends.get(partition, 0)
            for offsets in self._next.values()
            for partition, offset in offsets.items()
        ):
            return []
        forgotten = list(self._next)
        self._next = {selection: {} for selection in forgotten}
        return forgotten

    def encode(self, selection: Selection) -> tuple[bytes, bytes]:
        """Return the record, key and value, that keeps a selection's mark."""
        return (
            msgspec.json.encode(_Key(selection.reason, selection.topic)),
            msgspec.json.encode(_Value(self._next.get(selection, {}))),
        )

    def start(self, selection: Selection, partition: int) -> int:
        """Return the first offset of a partition at which something may be left to redrive."""
        return max(self._next.get(s, {}).get(partition, 0) for s in (Selection(), selection))

    def done(self, letter: DeadLetter) -> bool:
        """Whether a dead letter was redriven, by whichever selection."""
        return any(
            letter.offset < offsets.get(letter.partition, 0) and selection.matches(letter)
            for selection, offsets in self._next.items()
        )
