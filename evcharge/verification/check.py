"""The whole check: every partition, one after the other, then what crosses partitions."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from evcharge.domain.billing.series import Issuer
from evcharge.domain.quantities import SECOND_US
from evcharge.domain.session import Limits
from evcharge.domain.station_register import RegisteredStation
from evcharge.domain.station_state import ConnectorWord
from evcharge.events.decode import decode_charging_sessions, decode_station_status
from evcharge.events.session_decisions import decode_session_decisions
from evcharge.kafka.partitioning import Partitioner
from evcharge.reference.plans import default_document
from evcharge.settings import Settings
from evcharge.topics.catalogue import SESSION_DECISIONS, changelog_topic
from evcharge.verification.bills import INVOICES, SEALED, Bills, Found
from evcharge.verification.letters import Refused
from evcharge.verification.outputs import ExpectedOutputs, Output, Place
from evcharge.verification.over_http import Asked
from evcharge.verification.papers import said
from evcharge.verification.partitions import Partitions, Progress
from evcharge.verification.reference import Reference
from evcharge.verification.report import Report
from evcharge.verification.rows import check_left
from evcharge.verification.session_sources import SessionId, Sources
from evcharge.verification.sessions import Known, check_sessions
from evcharge.verification.sources import Sorting, place_of_dead_letter, place_of_rerouted
from evcharge.verification.statuses import check_stations
from evcharge.verification.stores import TABLES
from evcharge.verification.topics import Topics

STATUS, SESSIONS = TABLES
"""The device topics; the table computed from each has its name."""


async def verify(
    settings: Settings,
    report: Report,
    *,
    data_dirs: Sequence[Path] = (),
    url: str | None = None,
    sample: int | None = None,
    former_issuers: Sequence[Issuer] = (),
    progress: Progress = lambda *_: None,
) -> None:
    """Check a deployment whose devices are silent and whose workers have applied everything.

    What is found is in ``report`` as soon as it is found, also if the check then cannot go on.
    ``data_dirs`` are those of stopped workers; ``url`` is a running one, asked about ``sample`` stations
    (None: all). ``former_issuers`` are those whom the settings named once.

    Raises:
        EvchargeError: it cannot be checked; says why.
    """
    async with AsyncExitStack() as stack:
        topics = await stack.enter_async_context(Topics(settings.bootstrap))
        asked = None
        if url is not None:
            silence_us = settings.status_silence_s * SECOND_US
            asked = await stack.enter_async_context(Asked(url, silence_us, report))
        check = _Check(settings, topics, report, data_dirs, asked, sample, former_issuers, progress)
        await check.run()


class _Check:
    def __init__(
        self,
        settings: Settings,
        topics: Topics,
        report: Report,
        data_dirs: Sequence[Path],
        asked: Asked | None,
        sample: int | None,
        former_issuers: Sequence[Issuer],
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._report = report
        self._data_dirs = data_dirs
        self._asked = asked
        self._sample = sample
        issuer = Issuer(settings.issuer_name, settings.issuer_address, settings.issuer_vat_id)
        self._issuers = (issuer, *former_issuers)
        self._progress = progress
        self._limits = Limits.of(settings)
        self._partitions = Partitions(settings, topics, report, data_dirs, progress)
        self._reference = Reference(default_document(settings), settings.default_time_zone)
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
        self._decisions = Sorting(
            settings.topic(SESSION_DECISIONS.name),
            decode_session_decisions,
            partitioner,
            dead_letters,
        )

    async def run(self) -> None:
        settings = self._settings
        await self._topics.require(self._partitioned(), settings.partitions)
        await self._read_reference()
        register = self._reference.register if self._asked else {}
        known = set(register)
        users: dict[str, list[str]] = {}
        for number in range(settings.partitions):
            words = await self._check_stations(number)
            sessions, invoices = await self._check_sessions(number)
            for of_station in invoices.values():
                for name, value in of_station.items():
                    users.setdefault(said(value)["user_id"], []).append(name)
            known |= words.keys() | {station_id for station_id, _ in sessions}
            if self._asked:
                mine = {k: v for k, v in register.items() if self._partition_of(k) == number}
                await self._ask(number, words, sessions, mine, invoices)
        if self._asked:
            await self._asked.check_list(known)
            for user_id, names in sorted(users.items())[: self._sample]:
                await self._asked.check_user(user_id, names)
        for sorting in (self._statuses, self._sessions):
            assert sorting.rerouted is not None, "of a device topic"
            await self._check_output(
                f"{sorting.topic}-rerouted",
                sorting.rerouted,
                partial(place_of_rerouted, sorting.topic),
            )
        letters = self._statuses.dead_letters
        await self._check_output(settings.topic("dead-letters"), letters, place_of_dead_letter)

    def _partitioned(self) -> list[str]:
        settings = self._settings
        tables = [changelog_topic(settings, table).name for table in (STATUS, SESSIONS)]
        device = [name for topic in (STATUS, SESSIONS) for name in (topic, f"{topic}-rerouted")]
        billing = [SESSION_DECISIONS.name, SEALED, INVOICES]
        return [settings.topic(name) for name in (*device, *billing, "dead-letters", *tables)]

    async def _read_reference(self) -> None:
        async for records in self._topics.read(self._settings.topic("stations"), 0):
            self._reference.take_up_stations(records)
        async for records in self._topics.read(self._settings.topic("tariffs"), 0):
            self._reference.take_up_tariffs(records)

    async def _check_stations(self, number: int) -> Mapping[str, Sequence[ConnectorWord]]:
        sources = await self._partitions.sources(self._statuses, number)
        where, rows = await self._partitions.table(STATUS, number, sources)
        direct, rerouted = (source.accepted for source in sources.values())
        words = check_stations(where, rows, direct, rerouted, self._report)
        check_left(where, rows, self._report)
        return words

    async def _check_sessions(
        self, number: int
    ) -> tuple[Mapping[SessionId, Known], Mapping[str, Mapping[str, bytes]]]:
        """Return the sessions, and the invoices of each station by id."""
        sources = await self._partitions.sources(self._sessions, number)
        decisions = await self._partitions.sources(self._decisions, number)
        where, rows = await self._partitions.table(SESSIONS, number, {**sources, **decisions})
        bills = await self._bills(number)
        refused = await self._refused(number)
        direct, rerouted = (source.accepted for source in sources.values())
        (decided,) = (source.accepted for source in decisions.values())
        checked = check_sessions(
            where,
            rows,
            Sources.of(direct, rerouted, decided, bills.papers(), refused.declined, refused.late),
            self._reference,
            self._limits,
            self._report,
            is_billing=self._settings.billing,
        )
        bills.check()
        bills.check_rows(where, rows, checked.tariffs())
        check_left(where, rows, self._report)
        for sorting in (self._sessions, self._decisions):
            expected = {
                Place(sorting.topic, partition, offset): rejected
                for (topic, partition, offset), rejected in checked.refused.items()
                if self._settings.topic(topic) == sorting.topic
            }
            await self._partitions.refuse(sorting, number, expected)
        return checked.sessions, bills.by_station()

    async def _refused(self, number: int) -> Refused:
        """Read what the dead letters of a partition say of records and decisions of sessions."""
        refused = Refused(self._sessions.topic, self._decisions.topic)
        async for records in self._topics.read(self._settings.topic("dead-letters"), number):
            refused.take_up(records)
        return refused

    async def _bills(self, number: int) -> Bills:
        """Read what was billed in a partition."""
        bills = Bills(number, self._reference.tariffs, self._issuers, self._report)
        for topic, take_up in (
            (SEALED, bills.take_up_sealed),
            (INVOICES, bills.take_up_invoices),
        ):
            async for records in self._topics.read(self._settings.topic(topic), number):
                take_up([Found(record.offset, record.key, record.value) for record in records])
                self._progress(self._topics.records, f"{topic}/{number}")
        return bills

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
        sessions: Mapping[SessionId, Known],
        register: Mapping[str, RegisteredStation],
        invoices: Mapping[str, Mapping[str, bytes]],
    ) -> None:
        """Ask the worker about the stations of a partition, or an equal share of the sample."""
        assert self._asked is not None, "asked for"
        of_station: dict[str, dict[str, Known]] = {}
        for (station_id, session_id), known in sessions.items():
            of_station.setdefault(station_id, {})[session_id] = known
        stations = sorted({*words, *of_station, *register})
        if self._sample is not None:
            share = -(-self._sample // self._settings.partitions)
            stations = random.Random(number).sample(stations, min(share, len(stations)))
        for each in stations:
            facts = (words.get(each, ()), of_station.get(each, {}), register.get(each))
            await self._asked.check_station(each, *facts)
            for name, invoice in invoices.get(each, {}).items():
                await self._asked.check_invoice(name, invoice)
            self._progress(self._topics.records, f"HTTP, partition {number}")
