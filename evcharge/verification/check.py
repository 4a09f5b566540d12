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
from evcharge.kafka.partitioning import Partitioner
from evcharge.reference.plans import default_document
from evcharge.settings import Settings
from evcharge.topics.catalogue import SESSION_DECISIONS, changelog_topic
from evcharge.verification.across import Across
from evcharge.verification.bills import INVOICES, OF_BILLS, SEALED, Bills, Found
from evcharge.verification.former import NEVER_OTHERS, Former
from evcharge.verification.known import Checked, Known
from evcharge.verification.letters import Refused
from evcharge.verification.outputs import ExpectedOutputs, Output, Place
from evcharge.verification.over_http import Asked
from evcharge.verification.partitions import Partitions
from evcharge.verification.progress import Compared, Progress
from evcharge.verification.reference import Reference
from evcharge.verification.report import Report
from evcharge.verification.rows import check_left
from evcharge.verification.session_sources import Sources
from evcharge.verification.sessions import check_sessions
from evcharge.verification.sortings import SESSIONS, STATUS, sortings
from evcharge.verification.sources import (
    Sorting,
    are_cut,
    place_of_dead_letter,
    place_of_rerouted,
)
from evcharge.verification.statuses import check_stations, words_in
from evcharge.verification.topics import Topics


async def verify(
    settings: Settings,
    report: Report,
    *,
    data_dirs: Sequence[Path] = (),
    url: str | None = None,
    sample: int | None = None,
    former: Former = NEVER_OTHERS,
    progress: Progress = lambda *_: None,
) -> None:
    """Check a deployment whose devices are silent and whose workers have applied everything.

    What is found is in ``report`` as soon as it is found, also if the check then cannot go on.
    ``data_dirs`` are those of stopped workers; ``url`` is a running one, asked about ``sample`` stations
    (None: all). ``former``: what settings said once that these do not say.

    Raises:
        EvchargeError: it cannot be checked; says why.
    """
    defaults = default_document(settings), settings.default_time_zone
    reference = Reference(*defaults, former.tariffs, former.time_zones)
    own = Issuer(settings.issuer_name, settings.issuer_address, settings.issuer_vat_id)
    issuers = (own, *former.issuers)
    async with AsyncExitStack() as stack:
        topics = await stack.enter_async_context(Topics(settings.bootstrap))
        asked = None
        if url is not None:
            silence_us = settings.status_silence_s * SECOND_US
            asked = await stack.enter_async_context(Asked(url, silence_us, report))
        check = _Check(
            settings, topics, reference, issuers, report, data_dirs, asked, sample, progress
        )
        await check.run()


class _Check:
    def __init__(
        self,
        settings: Settings,
        topics: Topics,
        reference: Reference,
        issuers: Sequence[Issuer],
        report: Report,
        data_dirs: Sequence[Path],
        asked: Asked | None,
        sample: int | None,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._report = report
        self._asked = asked
        self._sample = sample
        self._issuers = issuers
        self._progress = progress
        self._limits = Limits.of(settings)
        self._partitions = Partitions(settings, topics, report, data_dirs, progress)
        self._reference = reference
        self._partition_of = Partitioner(settings.partitions).partition_of
        self._statuses, self._sessions, self._decisions = sortings(settings, report)

    async def run(self) -> None:
        settings = self._settings
        await self._topics.require(self._partitioned(), settings.partitions)
        await self._read_reference()
        register = self._reference.register
        across = Across(register)
        for number in range(settings.partitions):
            words = await self._check_stations(number)
            checked, bills = await self._check_sessions(number)
            if self._asked:
                invoices = bills.by_station()
                across.take_up(words, checked, invoices)
                mine = {k: v for k, v in register.items() if self._partition_of(k) == number}
                await self._ask(number, words, checked, mine, invoices)
        if self._asked:
            await across.check(self._asked, self._sample, self._report)
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
        words: Mapping[str, Sequence[ConnectorWord]]
        if are_cut(sources):
            self._leave_out(STATUS, number, self._statuses)
            words = words_in(rows)
        else:
            direct, rerouted = (source.accepted for source in sources.values())
            compared = self._telling(f"connectors of {STATUS}/{number}")
            words = check_stations(where, rows, direct, rerouted, self._report, compared)
        check_left(where, rows, self._report)
        return words

    def _telling(self, what: str) -> Compared:
        return lambda done: self._progress(self._topics.records, f"{done:,} {what} compared")

    def _leave_out(self, table: str, number: int, *sortings: Sorting[Any]) -> None:
        """Note that a table's partition cannot be checked, nor what its records led to elsewhere."""
        self._report.unchecked[f"partitions of {table}, whose first records were removed"] += 1
        for sorting in sortings:
            for outputs in (sorting.dead_letters, sorting.rerouted):
                if outputs is not None:
                    outputs.leave_out(sorting.topic, number)

    async def _check_sessions(self, number: int) -> tuple[Checked | None, Bills]:
        """Return the sessions, None if they cannot be told, and what was billed."""
        sources = await self._partitions.sources(self._sessions, number)
        decisions = await self._partitions.sources(self._decisions, number)
        where, rows = await self._partitions.table(SESSIONS, number, {**sources, **decisions})
        bills = await self._bills(number)
        letters = await self._topics.begin(self._settings.topic("dead-letters"), number)
        checked = None
        if letters or are_cut({**sources, **decisions}):
            self._leave_out(SESSIONS, number, self._sessions, self._decisions)
        else:
            refused = await self._refused(number)
            direct, rerouted = (source.accepted for source in sources.values())
            (decided,) = (source.accepted for source in decisions.values())
            checked = check_sessions(
                where,
                rows,
                Sources.of(
                    direct, rerouted, decided, bills.papers(), refused.declined, refused.late
                ),
                self._reference,
                self._limits,
                self._report,
                now_us=max(source.now_us for source in sources.values()),
                compared=self._telling(f"sessions of {SESSIONS}/{number}"),
                is_billing=self._settings.billing,
            )
            await self._refuse(number, checked)
        bills.check(self._telling(f"sessions with bills of {SEALED}/{number}"))
        bills.check_rows(where, rows, checked.tariffs() if checked else ())
        check_left(where, rows, self._report, None if checked else OF_BILLS)
        return checked, bills

    async def _refuse(self, number: int, checked: Checked) -> None:
        """Expect the dead letters of records and decisions of a partition that a rule refused."""
        for sorting in (self._sessions, self._decisions):
            expected = {
                Place(sorting.topic, partition, offset): rejected
                for (topic, partition, offset), rejected in checked.refused.items()
                if self._settings.topic(topic) == sorting.topic
            }
            await self._partitions.refuse(sorting, number, expected)

    async def _refused(self, number: int) -> Refused:
        """Read what the dead letters of a partition say of records and decisions of sessions."""
        refused = Refused(self._sessions.topic, self._decisions.topic)
        async for records in self._topics.read(self._settings.topic("dead-letters"), number):
            refused.take_up(records)
            self._progress(self._topics.records, f"dead-letters/{number}")
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
            begin = await self._topics.begin(topic, number)
            if begin:
                for sorting in (self._statuses, self._sessions, self._decisions):
                    expected.leave_out(sorting.topic, number)
            async for records in self._topics.read(topic, number, begin=begin):
                for record in records:
                    found = Output(number, record.key, record.value, tuple(record.headers))
                    expected.see(place_of(record), record.offset, found)
                self._progress(self._topics.records, f"{topic}/{number}")
        expected.finish()

    async def _ask(
        self,
        number: int,
        words: Mapping[str, Sequence[ConnectorWord]],
        checked: Checked | None,
        register: Mapping[str, RegisteredStation],
        invoices: Mapping[str, Mapping[str, bytes]],
    ) -> None:
        """Ask the worker about the stations of a partition, or an equal share of the sample."""
        assert self._asked is not None, "asked for"
        of_station: dict[str, dict[str, Known]] = {}
        sessions, heard_of = (checked.sessions, checked.stations) if checked else ({}, set[str]())
        for (station_id, session_id), known in sessions.items():
            of_station.setdefault(station_id, {})[session_id] = known
        stations = sorted({*words, *heard_of, *register, *invoices})
        if self._sample is not None:
            share = -(-self._sample // self._settings.partitions)
            stations = random.Random(number).sample(stations, min(share, len(stations)))
        for each in stations:
            if checked is not None:
                facts = (words.get(each, ()), of_station.get(each, {}), register.get(each))
                await self._asked.check_station(each, *facts)
            for name, invoice in invoices.get(each, {}).items():
                await self._asked.check_invoice(name, invoice)
            self._progress(self._topics.records, f"HTTP, partition {number}")
