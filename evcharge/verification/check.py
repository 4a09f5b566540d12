"""The whole check: every partition, one after the other, then what crosses partitions."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from evcharge.domain.quantities import SECOND_US
from evcharge.domain.session import Limits, SessionState
from evcharge.domain.station_register import RegisteredStation
from evcharge.domain.station_state import ConnectorWord
from evcharge.events.decode import decode_charging_sessions, decode_station_status
from evcharge.kafka.partitioning import Partitioner
from evcharge.settings import Settings
from evcharge.topics.catalogue import changelog_topic
from evcharge.verification.changelog import Rebuilt
from evcharge.verification.outputs import ExpectedOutputs, Output, Place
from evcharge.verification.over_http import Asked
from evcharge.verification.register import take_up
from evcharge.verification.report import Report
from evcharge.verification.rows import Rows, check_left, check_markers
from evcharge.verification.sealed import Sealed, check_sealed
from evcharge.verification.sessions import SessionId, by_session, check_sessions
from evcharge.verification.sources import (
    OfStation,
    Sorting,
    Source,
    place_of_dead_letter,
    place_of_rerouted,
)
from evcharge.verification.statuses import check_stations
from evcharge.verification.stores import StoreComparison, open_stores
from evcharge.verification.topics import Topics

SEALED = "sealed-sessions"
STATUS, SESSIONS = "station-status", "charging-sessions"
"""The device topics; the table computed from each has its name."""

R = TypeVar("R", bound=OfStation)

Progress = Callable[[int, str], object]
"""Called often with the number of records read and what is being checked."""


async def verify(
    settings: Settings,
    *,
    data_dirs: Sequence[Path] = (),
    url: str | None = None,
    sample: int | None = None,
    progress: Progress = lambda *_: None,
) -> Report:
    """Check a deployment whose devices are silent and whose workers have applied everything.

    ``data_dirs`` are those of stopped workers; ``url`` is a running one, asked about ``sample`` stations
    (None: all).

    Raises:
        EvchargeError: it cannot be checked; says why.
    """
    report = Report()
    async with AsyncExitStack() as stack:
        topics = await stack.enter_async_context(Topics(settings.bootstrap))
        asked = None
        if url is not None:
            silence_us = settings.status_silence_s * SECOND_US
            asked = await stack.enter_async_context(Asked(url, silence_us, report))
        check = _Check(settings, topics, report, data_dirs, asked, sample, progress)
        await check.run()
    return report


class _Check:
    def __init__(
        self,
        settings: Settings,
        topics: Topics,
        report: Report,
        data_dirs: Sequence[Path],
        asked: Asked | None,
        sample: int | None,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._report = report
        self._data_dirs = data_dirs
        self._asked = asked
        self._sample = sample
        self._progress = progress
        self._limits = Limits.of(settings)
        partitioner = Partitioner(settings.partitions)
        self._partition_of = partitioner.partition_of
        dead_letters = ExpectedOutputs("dead-letters", report)
        most = settings.max_record_bytes
        self._statuses = Sorting(
            settings.topic(STATUS),
            partial(decode_station_status, max_bytes=most),
            partitioner,
            dead_letters,
            ExpectedOutputs(f"{STATUS}-rerouted", report),
        )
        self._sessions = Sorting(
            settings.topic(SESSIONS),
            partial(decode_charging_sessions, max_bytes=most),
            partitioner,
            dead_letters,
            ExpectedOutputs(f"{SESSIONS}-rerouted", report),
        )

    async def run(self) -> None:
        settings = self._settings
        await self._topics.require(self._partitioned(), settings.partitions)
        register = await self._register() if self._asked else {}
        known = set(register)
        for number in range(settings.partitions):
            words = await self._check_stations(number)
            sessions = await self._check_sessions(number)
            known |= words.keys() | {station_id for station_id, _ in sessions}
            if self._asked:
                mine = {k: v for k, v in register.items() if self._partition_of(k) == number}
                await self._ask(number, words, sessions, mine)
        if self._asked:
            await self._asked.check_list(known)
        for sorting in (self._statuses, self._sessions):
            device_topic = sorting.device_topic
            await self._check_output(
                f"{device_topic}-rerouted",
                sorting.rerouted,
                partial(place_of_rerouted, device_topic),
            )
        letters = self._statuses.dead_letters
        await self._check_output(settings.topic("dead-letters"), letters, place_of_dead_letter)

    def _partitioned(self) -> list[str]:
        settings = self._settings
        tables = [changelog_topic(settings, table).name for table in (STATUS, SESSIONS)]
        device = [name for topic in (STATUS, SESSIONS) for name in (topic, f"{topic}-rerouted")]
        return [settings.topic(name) for name in (*device, SEALED, "dead-letters", *tables)]

    async def _register(self) -> Mapping[str, RegisteredStation]:
        register: dict[str, RegisteredStation] = {}
        async for records in self._topics.read(self._settings.topic("stations"), 0):
            take_up(register, records)
        return register

    async def _check_stations(self, number: int) -> Mapping[str, Sequence[ConnectorWord]]:
        direct, rerouted = await self._sources(self._statuses, number)
        where, rows = await self._table(STATUS, number, direct, rerouted)
        words = check_stations(where, rows, direct.accepted, rerouted.accepted, self._report)
        check_left(where, rows, self._report)
        return words

    async def _check_sessions(self, number: int) -> Mapping[SessionId, SessionState]:
        direct, rerouted = await self._sources(self._sessions, number)
        where, rows = await self._table(SESSIONS, number, direct, rerouted)
        sessions = by_session((*direct.accepted, *rerouted.accepted))
        checked = check_sessions(where, rows, sessions, self._limits, self._report)
        check_left(where, rows, self._report)
        sealed: list[Sealed] = []
        async for records in self._topics.read(self._settings.topic(SEALED), number):
            sealed += [Sealed(record.offset, record.key, record.value) for record in records]
        check_sealed(
            f"{SEALED}/{number}",
            sealed,
            by_session(direct.accepted),
            by_session(rerouted.accepted),
            checked.sealed,
            self._limits,
            self._report,
        )
        return checked.states

    async def _sources(self, sorting: Sorting[R], number: int) -> tuple[Source[R], Source[R]]:
        """Read what a table partition is computed from: what came directly, what was rerouted."""
        both: tuple[Source[R], Source[R]] = (Source(), Source())
        for source, again in zip(both, (False, True), strict=True):
            topic = f"{sorting.device_topic}-rerouted" if again else sorting.device_topic
            async for records in self._topics.read(topic, number):
                sorting.sort(source, number, records, again=again)
                self._progress(self._topics.records, f"{topic}/{number}")
        return both

    async def _table(
        self, table: str, number: int, direct: Source[Any], rerouted: Source[Any]
    ) -> tuple[str, Rows]:
        """Rebuild a partition of a table, comparing markers and local stores on the way."""
        where = f"changelog of {table}/{number}"
        topic = self._settings.topic(table)
        sources = [topic, f"{topic}-rerouted"]
        changelog = self._settings.topic(changelog_topic(self._settings, table).name)
        rebuilt = Rebuilt(
            [
                StoreComparison(store, sources, self._report)
                for directory in self._data_dirs
                for store in open_stores(directory, table, number)
            ]
        )
        async for records in self._topics.read(changelog, number, whole=False):
            rebuilt.apply(records)
            self._progress(self._topics.records, f"{changelog}/{number}")
        rebuilt.finish()
        rows = Rows(rebuilt.rows)
        ends = zip(sources, (direct.last, rerouted.last), strict=True)
        check_markers(where, rows, ends, self._report)
        return where, rows

    async def _check_output(
        self, topic: str, expected: ExpectedOutputs, place_of: Callable[[Any], Place | None]
    ) -> None:
        for number in range(self._settings.partitions):
            async for records in self._topics.read(topic, number):
                for record in records:
                    found = Output(number, record.key, record.value, tuple(record.headers))
                    expected.see(place_of(record), record.offset, found)
                self._progress(self._topics.records, f"{topic}/{number}")
        expected.finish()

    async def _ask(
        self,
        number: int,
        words: Mapping[str, Sequence[ConnectorWord]],
        sessions: Mapping[SessionId, SessionState],
        register: Mapping[str, RegisteredStation],
    ) -> None:
        """Ask the worker about the stations of a partition, or an equal share of the sample."""
        assert self._asked is not None, "asked for"
        of_station: dict[str, dict[str, SessionState]] = {}
        for (station_id, session_id), state in sessions.items():
            of_station.setdefault(station_id, {})[session_id] = state
        stations = sorted({*words, *of_station, *register})
        if self._sample is not None:
            share = -(-self._sample // self._settings.partitions)
            stations = random.Random(number).sample(stations, min(share, len(stations)))
        for each in stations:
            facts = (words.get(each, ()), of_station.get(each, {}), register.get(each))
            await self._asked.check_station(each, *facts)
            self._progress(self._topics.records, f"HTTP, partition {number}")
