"""What became durable in the tables, told to whoever listens in this process (live map, dashboard).

Changes of a partition come in the order of its changelog, each with its offset there. A listener that
comes back names the last offset that it has seen, and goes on behind it as long as that is remembered.
Nobody waits for a listener: one that is too slow, or too late, is told to read the partition anew.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, Self

from evcharge.storage.partition_store import Rows

REMEMBERED_ROWS = 20_000
"""Rows of the latest changes that one who comes back can still get; also what waits for a slow one."""

REMEMBERED_BYTES = 16 << 20
"""What keys and values of these rows may have together. A slow listener's rows are the same objects, as
long as they are remembered, so each listener adds as much at most."""


class Place(NamedTuple):
    """A partition of a table."""

    table: str
    partition: int


class Change(NamedTuple):
    """Rows that became durable together."""

    place: Place
    offset: int
    """Changelog offset of the last of them."""
    rows: Rows
    """New values by key, ``None`` for a deleted row; the engine's own rows are left out."""
    size: int
    """Bytes of these keys and values."""


class Missed(NamedTuple):
    """Changes of a partition were not told: its rows have to be read anew, what follows is complete."""

    place: Place


class ChangeFeed:
    """Remembers the latest changes of this worker's partitions and hands them to subscriptions."""

    def __init__(
        self, remembered_rows: int = REMEMBERED_ROWS, remembered_bytes: int = REMEMBERED_BYTES
    ) -> None:
        self._most_rows, self._most_bytes = remembered_rows, remembered_bytes
        self._recent: deque[Change] = deque()
        self._recent_rows = self._recent_bytes = 0
        self._from: dict[Place, int] = {}
        """Offset behind which all changes of a partition are remembered."""
        self._subscriptions: set[Subscription] = set()

    def publish(self, place: Place, offset: int, rows: Rows) -> None:
        """Tell what became durable."""
        size = sum(map(len, rows)) + sum(map(len, filter(None, rows.values())))
        change = Change(place, offset, rows, size)
        self._recent.append(change)
        self._recent_rows += len(rows)
        self._recent_bytes += size
        while self._recent_rows > self._most_rows or self._recent_bytes > self._most_bytes:
            old = self._recent.popleft()
            self._recent_rows -= len(old.rows)
            self._recent_bytes -= old.size
            self._from[old.place] = old.offset
        for subscription in self._subscriptions:
            subscription.add(change)

    def begin(self, place: Place, offset: int) -> None:
        """Note that a partition came to this worker, with rows up to a changelog offset.

        What was remembered of an earlier time is forgotten: others have written the partition since.
        """
        self._recent = deque(change for change in self._recent if change.place != place)
        self._recent_rows = sum(len(change.rows) for change in self._recent)
        self._recent_bytes = sum(change.size for change in self._recent)
        self._from[place] = offset
        for subscription in self._subscriptions:
            subscription.miss(place)

    def subscribe(self, seen: Mapping[Place, int] | None = None) -> Subscription:
        """Listen from now on, or from behind the offsets that were ``seen`` (as a context manager)."""
        missed: list[Place] = []
        wanted: dict[Place, int] = {}
        for place, offset in (seen or {}).items():
            if place in self._from and offset >= self._from[place]:
                wanted[place] = offset
            else:
                missed.append(place)
        changes = [c for c in self._recent if c.place in wanted and c.offset > wanted[c.place]]
        limits = self._most_rows, self._most_bytes
        return Subscription(self._subscriptions, *limits, missed, changes)


class Subscription:
    """One listener's changes: iterate over them, at any speed."""

    def __init__(
        self,
        all_of_feed: set[Subscription],
        most_rows: int,
        most_bytes: int,
        missed: list[Place],
        changes: list[Change],
    ) -> None:
        self._all = all_of_feed
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._missed = dict.fromkeys(missed)
        self._waiting = deque(changes)
        self._rows = sum(len(change.rows) for change in changes)
        self._bytes = sum(change.size for change in changes)
        self._news = asyncio.Event()

    def __enter__(self) -> Self:
        self._all.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._all.discard(self)

    def add(self, change: Change) -> None:
        """Take a change to be told."""
        self._waiting.append(change)
        self._rows += len(change.rows)
        self._bytes += change.size
        while self._rows > self._most_rows or self._bytes > self._most_bytes:
            self.miss(self._waiting[0].place)
        self._news.set()

    def miss(self, place: Place) -> None:
        """Drop what waits of a partition, and have the listener read it anew."""
        self._missed[place] = None
        self._waiting = deque(change for change in self._waiting if change.place != place)
        self._rows = sum(len(change.rows) for change in self._waiting)
        self._bytes = sum(change.size for change in self._waiting)
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Change | Missed]:
        while True:
            while self._missed:
                place = next(iter(self._missed))
                del self._missed[place]
                yield Missed(place)
            if self._waiting:
                change = self._waiting.popleft()
                self._rows -= len(change.rows)
                self._bytes -= change.size
                yield change
                continue
            self._news.clear()
            await self._news.wait()
