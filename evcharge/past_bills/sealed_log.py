"""`sealed-sessions` up to the end that it has now, and which bill of each session counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, Self, TypeAlias

import msgspec

from evcharge.kafka.scan import Scan
from evcharge.settings import Settings
from evcharge.topics.catalogue import SEALED_SESSIONS

Show: TypeAlias = Callable[[int, int], None]
"""Is told how many records were read, and of how many; each is read twice."""


class _NamedTerms(msgspec.Struct):
    tariff_id: str


class Skimmed(msgspec.Struct):
    """What of a record says whether to look closer: read in a tenth of the time of all of it."""

    station_id: str
    session_id: str
    bill: int
    started_at: str
    terms: _NamedTerms | None
    """None: the session is not billed, for billing was switched off when it was completed."""


class SealedRecord(NamedTuple):
    """One record of the log."""

    offset: int
    key: bytes | None
    value: bytes | None
    skimmed: Skimmed | None
    """None: it is none that evcharge wrote."""


class LastBills:
    """The number of each session's last bill, of one partition.

    Memory: about 120 bytes for each session that was billed more than once; of the others nothing.
    """

    def __init__(self) -> None:
        self._last: dict[bytes, int] = {}

    def add(self, skimmed: Skimmed) -> None:
        """Take up a record."""
        if skimmed.bill > 1:
            name = _name(skimmed)
            self._last[name] = max(skimmed.bill, self._last.get(name, 1))

    def has_last(self, skimmed: Skimmed) -> bool:
        """Whether no later bill of the session is known."""
        return not self._last or self._last.get(_name(skimmed), 1) <= skimmed.bill


def _name(skimmed: Skimmed) -> bytes:
    # No id contains the separator.
    return blake2b(f"{skimmed.station_id}\0{skimmed.session_id}".encode(), digest_size=12).digest()


_skim = msgspec.json.Decoder(Skimmed).decode


def skim(value: bytes | None) -> Skimmed | None:
    """Return what a record says at first sight."""
    try:
        return _skim(value or b"")
    except (RecursionError, ValueError):
        return None


class SealedLog:
    """A reader of the whole topic, partition by partition, as an async context manager.

    Raises CommandError where Kafka does not answer.
    """

    def __init__(self, settings: Settings, show: Show = lambda _done, _total: None) -> None:
        self._scan = Scan(settings.bootstrap, settings.topic(SEALED_SESSIONS.name))
        self._show = show
        self._done = 0

    async def __aenter__(self) -> Self:
        await self._scan.__aenter__()
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self._scan.__aexit__(*problem)

    @property
    def partitions(self) -> Sequence[int]:
        """Their numbers."""
        return sorted(self._scan.ends)

    @property
    def ends(self) -> Mapping[int, int]:
        """Offset behind the last record of each partition when the reader began."""
        return self._scan.ends

    async def last_bills(self, partition: int) -> LastBills:
        """Read a partition for the first time: which bills count."""
        last = LastBills()
        async for record in self.records(partition):
            if record.skimmed is not None:
                last.add(record.skimmed)
        return last

    async def records(self, partition: int) -> AsyncIterator[SealedRecord]:
        """Yield all records of a partition, in order."""
        begin, end = self._scan.begins[partition], self._scan.ends[partition]
        total = 2 * sum(self.ends[each] - self._scan.begins[each] for each in self.ends)
        before = self._done
        async for _, records in self._scan.batches({partition: begin}):
            for record in records:
                yield SealedRecord(record.offset, record.key, record.value, skim(record.value))
            # By offset: markers of transactions take one each.
            self._done = before + records[-1].offset + 1 - begin
            self._show(self._done, total)
        self._done = before + end - begin


async def records_behind(
    settings: Settings, topic: str, starts: Mapping[int, int], partition: int
) -> AsyncIterator[tuple[int, bytes | None]]:
    """Yield offset and value of what came to a partition of a topic since, up to the end it has now."""
    async with Scan(settings.bootstrap, settings.topic(topic)) as scan:
        async for _, records in scan.batches({partition: starts[partition]}):
            for record in records:
                yield record.offset, record.value
