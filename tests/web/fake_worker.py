"""A group of workers whose tables are dictionaries, answering on real loopback ports."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.bill import Session
from evcharge.domain.session import Lifecycle, Limits, SessionState
from evcharge.domain.session_record import SessionRecord
from evcharge.domain.station_register import RegisteredStation
from evcharge.domain.station_session import OpenSession
from evcharge.domain.station_state import ConnectorWord, StationState
from evcharge.domain.status_report import Status
from evcharge.kafka.partitioning import Partitioner
from evcharge.web.context import DecisionLog, WebContext
from evcharge.web.metrics import Metrics
from evcharge.web.peers import Peers
from evcharge.web.routes import add_routes
from evcharge.web.state import KeptSession, PartitionLostError
from tests.domain.billing_desk import FakeDesk

SECOND = 1_000_000
NOW = 1_700_000_000 * SECOND
"""2023-11-14T22:13:20Z"""
PARTITIONS = 4

_partitioner = Partitioner(PARTITIONS)


@dataclass
class Data:
    """What the tables and the register of all workers hold."""

    stations: dict[str, StationState] = field(default_factory=dict)
    sessions: dict[tuple[str, str], SessionState] = field(default_factory=dict)
    register: dict[str, RegisteredStation] = field(default_factory=dict)
    accounts: dict[tuple[str, str], Account] = field(default_factory=dict)
    records: dict[tuple[str, str], list[SessionRecord]] = field(default_factory=dict)
    invoices: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Station and document by id."""
    owners: dict[int, str] = field(default_factory=dict)
    workers: list[str] = field(default_factory=list)

    def say(self, station_id: str, status: Status, connector_id: int = 1) -> None:
        """Let a connector have said something ten seconds ago."""
        before = self.stations.get(station_id, StationState(())).words
        said = ConnectorWord(
            connector_id, status, NOW - 60 * SECOND, NOW - 60 * SECOND, NOW - 10 * SECOND
        )
        self.stations[station_id] = StationState((*before, said))


class NoLog:
    """Kafka, in tests that record nothing."""

    async def append(self, partition: int, station_id: str, record: bytes) -> None:
        raise AssertionError


class FakeReader:
    """One worker's view of the data: what it owns, and who it thinks owns the rest."""

    partitions = PARTITIONS

    def __init__(self, data: Data, own: Iterable[int], copies: Iterable[int] = ()) -> None:
        self.data = data
        self.own = frozenset(own)
        self.copies = frozenset(copies)
        self.reads_copies = False
        self.is_ready = True
        self.believes: Mapping[int, str] | None = None
        """Its own idea of the owners, if it differs from the truth."""
        self.loses: dict[str, int] = {}
        """Station → partition that is lost at the moment when the station is read."""
        self.index_rows_read = 0
        """How many stations were looked up by a session's id."""

    def partition_of(self, station_id: str) -> int:
        return _partitioner.partition_of(station_id)

    def owned(self) -> frozenset[int]:
        return self.own

    def held(self) -> frozenset[int]:
        return self.copies - self.own

    def readable(self) -> frozenset[int]:
        return self.own | self.copies if self.reads_copies else self.own

    def with_copies(self) -> Self:
        view = copy(self)
        view.reads_copies = True
        return view

    def ready(self) -> bool:
        return self.is_ready

    def owners(self) -> Mapping[int, str]:
        return self.data.owners if self.believes is None else self.believes

    def workers(self) -> Collection[str]:
        return {*self.data.workers, *(self.believes or {}).values()}

    def _check(self, partition: int) -> None:
        if partition not in self.readable():
            raise PartitionLostError(partition)

    def station(self, station_id: str) -> StationState | None:
        self.own -= {self.loses.get(station_id)}
        self._check(self.partition_of(station_id))
        return self.data.stations.get(station_id)

    def is_heard_of(self, station_id: str) -> bool:
        return self.station(station_id) is not None or any(self.sessions_of(station_id))

    def station_ids(self, partition: int, after: str | None) -> Iterator[str]:
        self._check(partition)
        heard_of = {*self.data.stations, *(station for station, _ in self.data.sessions)}
        for station_id in sorted(heard_of):
            if self.partition_of(station_id) == partition and station_id > (after or ""):
                self._check(partition)
                yield station_id

    def kept(self, station_id: str, session_id: str) -> KeptSession | None:
        self._check(self.partition_of(station_id))
        key = station_id, session_id
        state, records = self.data.sessions.get(key), self.data.records.get(key, [])
        if state is None:
            return None
        session = Session(*key, state, lambda: records, Limits())
        return KeptSession(session, self.data.accounts.get(key))

    def sessions_of(self, station_id: str) -> Iterator[tuple[str, KeptSession]]:
        self._check(self.partition_of(station_id))
        for station, session_id in self.data.sessions:
            if station == station_id and (kept := self.kept(station, session_id)):
                yield session_id, kept

    def held_sessions(self, partition: int, after: tuple[str, str] | None) -> Iterator[KeptSession]:
        for key in sorted(self.data.sessions):
            self._check(partition)
            if self.partition_of(key[0]) == partition and key > (after or ("", "")):
                kept = self.kept(*key)
                if kept is not None and kept.stands.standing is Lifecycle.HELD:
                    yield kept

    def invoice(self, partition: int, invoice_id: str) -> bytes | None:
        self._check(partition)
        station_id, document = self.data.invoices.get(invoice_id, ("", b""))
        return document if document and self.partition_of(station_id) == partition else None

    def invoices_of(
        self, partition: int, user_id: str, after: str | None
    ) -> Iterator[tuple[str, bytes]]:
        for invoice_id, (_, document) in sorted(self.data.invoices.items()):
            is_here = self.invoice(partition, invoice_id) is not None
            if (
                is_here
                and json.loads(document)["user_id"] == user_id
                and invoice_id > (after or "")
            ):
                yield invoice_id, document

    def unpublished_tariff(self, partition: int, digest: str) -> bytes | None:
        self._check(partition)
        return None

    def open_sessions(self, station_id: str) -> Sequence[OpenSession]:
        states = [(session_id, kept.state) for session_id, kept in self.sessions_of(station_id)]
        return [
            OpenSession(session_id, state.connector_id, state.started_us, state.updated_us)
            for session_id, state in states
            if state.is_open
        ]

    def stations_having(self, partition: int, session_id: str) -> Iterator[str]:
        for station, session in sorted(self.data.sessions):
            self._check(partition)
            if session == session_id and self.partition_of(station) == partition:
                self.index_rows_read += 1
                yield station

    def registered(self, station_id: str) -> RegisteredStation | None:
        return self.data.register.get(station_id)

    def registered_ids(self, after: str | None) -> Iterator[str]:
        return (each for each in sorted(self.data.register) if each > (after or ""))


@dataclass
class Answer:
    """One HTTP answer, read whole."""

    status: int
    headers: Mapping[str, str]
    text: str
    json: Any


async def ask(
    client: aiohttp.ClientSession,
    url: str,
    method: str = "GET",
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask and read the answer; ``body`` is bytes, or a JSON value."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body)
    async with client.request(method, url, data=data, headers=headers) as response:
        text = await response.text()
        is_json = response.content_type.endswith("json") and text
        return Answer(
            response.status,
            response.headers,
            text,
            await response.json(content_type=None) if is_json else None,
        )


class Worker:
    """A worker's HTTP interface on a free loopback port."""

    def __init__(
        self,
        reader: FakeReader,
        peers: Peers,
        server: TestServer,
        client: aiohttp.ClientSession,
    ) -> None:
        self.reader = reader
        self.peers = peers
        self.server = server
        self.url = str(server.make_url("")).rstrip("/")
        self._client = client

    async def get(self, path: str, *, method: str = "GET", body: object = None) -> Answer:
        """Ask this worker; ``body`` is bytes, or a JSON value."""
        return await ask(self._client, self.url + path, method, body)

    async def walk(self, path: str, rows: str) -> list[dict[str, Any]]:
        """Follow the cursors of a list to its end."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            answer = await self.get(f"{path}&cursor={cursor}")
            assert answer.status == 200, answer.text
            found += answer.json[rows]
            if answer.json["next"] is None:
                return found
            cursor = answer.json["next"]


class Group:
    """Starts workers and stops them at the end."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self._client: aiohttp.ClientSession
        self._workers: list[Worker] = []

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            await worker.server.close()
        await self._client.close()

    async def worker(
        self,
        own: Iterable[int] = range(PARTITIONS),
        *,
        copies: Iterable[int] = (),
        metrics: Metrics | None = None,
        now_us: int = NOW,
        decisions: DecisionLog | None = None,
    ) -> Worker:
        """Start a worker that owns some partitions, all unless told, and has copies of others."""
        reader, application = FakeReader(self.data, own, copies), web.Application()
        server = TestServer(application)
        peers = Peers("", lambda: self._client, timeout_s=2.0, pause_s=0.01)
        context = WebContext(
            reader=reader,
            peers=peers,
            metrics=metrics or Metrics(),
            desk=FakeDesk(),
            decisions=decisions or NoLog(),
            decision_patience_s=0.5,
            silence_us=86_400 * SECOND,
            now_us=lambda: now_us,
        )
        add_routes(application, context)
        await server.start_server()
        worker = Worker(reader, peers, server, self._client)
        peers.url = worker.url
        self.data.owners.update(dict.fromkeys(reader.own, worker.url))
        self.data.workers.append(worker.url)
        self._workers.append(worker)
        return worker


@asynccontextmanager
async def group(data: Data) -> AsyncIterator[Group]:
    """A group of workers over the same data."""
    async with Group(data) as made:
        yield made


def id_in(partition: int, start: str = "EV-") -> str:
    """An id of a station in a partition."""
    return next(
        name
        for n in range(1000)
        if _partitioner.partition_of(name := f"{start}{n:03}") == partition
    )


def session_of(**facts: Any) -> SessionState:
    """A session that is active unless the facts end it."""
    defaults: dict[str, Any] = {
        "revision": 1,
        "reasons": 0,
        "updated_us": NOW - 30 * SECOND,
        "last_us": NOW - 40 * SECOND,
        "last_rank": 0,
        "started_us": NOW - 3600 * SECOND,
    }
    return SessionState(**{**defaults, **facts})
