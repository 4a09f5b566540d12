"""Reads one partition of what a table is computed from, and of the table itself."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from evcharge.events.rejection import Rejected
from evcharge.settings import Settings
from evcharge.topics.catalogue import changelog_topic
from evcharge.verification.changelog import Rebuilt
from evcharge.verification.outputs import Place
from evcharge.verification.progress import Progress
from evcharge.verification.report import Report
from evcharge.verification.rows import Rows, check_markers
from evcharge.verification.sources import OfStation, Sorting, Source
from evcharge.verification.stores import StoreComparison, open_stores
from evcharge.verification.topics import Topics

R = TypeVar("R", bound=OfStation)


class Partitions:
    """Reads partitions of one deployment."""

    def __init__(
        self,
        settings: Settings,
        topics: Topics,
        report: Report,
        data_dirs: Sequence[Path],
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._report = report
        self._data_dirs = data_dirs
        self._progress = progress

    async def sources(self, sorting: Sorting[R], number: int) -> dict[str, Source[R]]:
        """Return what came directly, and what was rerouted if the topic's records are, by topic."""
        sources: dict[str, Source[R]] = {}
        for topic, again in _topics_of(sorting):
            source = sources[topic] = Source(await self._topics.begin(topic, number))
            async for records in self._topics.read(topic, number, begin=source.begin):
                sorting.sort(source, number, records, again=again)
                self._progress(self._topics.records, f"{topic}/{number}")
        return sources

    async def refuse(
        self, sorting: Sorting[Any], number: int, refused: Mapping[Place, Rejected]
    ) -> None:
        """Read the sources again for the records that a rule refused; they are seldom any."""
        if not any(place.topic == sorting.topic for place in refused):
            return
        for topic, again in _topics_of(sorting):
            async for records in self._topics.read(topic, number):
                sorting.refuse(refused, number, records, again=again)
                self._progress(self._topics.records, f"{topic}/{number}")

    async def table(
        self, table: str, number: int, sources: Mapping[str, Source[Any]]
    ) -> tuple[str, Rows]:
        """Rebuild a partition of a table, comparing markers and local stores on the way."""
        where = f"changelog of {table}/{number}"
        changelog = self._settings.topic(changelog_topic(self._settings, table).name)
        now_ms = time.time_ns() // 1_000_000
        rebuilt = Rebuilt(
            [
                StoreComparison(store, list(sources), self._report, now_ms)
                for directory in self._data_dirs
                for store in open_stores(directory, table, number, self._report)
            ]
        )
        begin = await self._topics.begin(changelog, number)
        async for records in self._topics.read(changelog, number, begin=begin):
            rebuilt.apply(records)
            self._progress(self._topics.records, f"{changelog}/{number}")
        rebuilt.finish()
        rows = Rows(rebuilt.rows)
        # Of a source that retention has emptied nobody knows the last record.
        told = (each for each in sources.items() if each[1].last or not each[1].begin)
        ends = ((topic, source.last) for topic, source in told)
        check_markers(where, rows, ends, self._report)
        return where, rows


def _topics_of(sorting: Sorting[Any]) -> Sequence[tuple[str, bool]]:
    """Return the topics that are sorted so, and whether their records arrived somewhere else first."""
    if sorting.rerouted is None:
        return [(sorting.topic, False)]
    return [(sorting.topic, False), (f"{sorting.topic}-rerouted", True)]
