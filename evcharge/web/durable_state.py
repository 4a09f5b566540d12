"""The HTTP interface's view of the application: tables as they are in the store, never ahead of it."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self

from rocksdict import DbClosedError

from evcharge.application import Application
from evcharge.domain.billing.bill import Session
from evcharge.domain.billing.unpriced import why_unbilled
from evcharge.domain.session import Limits, SessionState
from evcharge.domain.session_record import SessionRecord
from evcharge.domain.station_register import RegisteredStation
from evcharge.domain.station_session import OpenSession
from evcharge.domain.station_state import StationState
from evcharge.engine.table import StateTable
from evcharge.storage.partition_store import PartitionStore
from evcharge.web.state import KeptSession, PartitionLostError
from tables import charging_sessions, station_status
from tables.charging_sessions import (
    ChargingSessionsReader,
    SessionRow,
    session_key,
    stored_records,
)
from tables.held_sessions import held_sessions, is_held
from tables.invoices import InvoicesReader, decode_tariff, tariff_key
from tables.station_status import StationStatusReader


class DurableState:
    """Implements :class:`~evcharge.web.state.StateReader` over the tables of this worker."""

    def __init__(self, app: Application, *, copies: bool = False) -> None:
        self._app = app
        self._copies = copies
        self._limits = Limits.of(app.settings)
        self.partitions = app.settings.partitions

    def partition_of(self, station_id: str) -> int:
        return self._app.lane.partitioner.partition_of(station_id)

    # -- ownership

    def owned(self) -> frozenset[int]:
        fresh = self._app.readable
        return frozenset(fresh[station_status.NAME] & fresh[charging_sessions.NAME])

    def held(self) -> frozenset[int]:
        fresh, stale = self._app.readable, self._app.stale
        stations, sessions = (
            fresh[table] | stale[table] for table in (station_status.NAME, charging_sessions.NAME)
        )
        return frozenset(stations & sessions) - self.owned()

    def readable(self) -> frozenset[int]:
        return self.owned() | self.held() if self._copies else self.owned()

    def with_copies(self) -> Self:
        return type(self)(self._app, copies=True)

    def ready(self) -> bool:
        return self._app.is_member and self._app.recovered and self._app.reference.caught_up

    def owners(self) -> Mapping[int, str]:
        changelog = self._table(charging_sessions.NAME).changelog_topic_name
        owners = {
            partition: url
            for url, topics in self._app.assignor.tables_metadata().items()
            for partition in topics.get(changelog, ())
        }
        # What is readable here needs no detour, whatever the last assignment that we saw says.
        return owners | dict.fromkeys(self.owned(), self._app.settings.url)

    def workers(self) -> Collection[str]:
        return tuple(self._app.assignor.tables_metadata())

    # -- tables

    def station(self, station_id: str) -> StationState | None:
        partition = self.partition_of(station_id)
        with self._reading(partition):
            return self._stations(partition).station(station_id)

    def is_heard_of(self, station_id: str) -> bool:
        partition = self.partition_of(station_id)
        with self._reading(partition):
            if self._stations(partition).station(station_id) is not None:
                return True
            sessions = self._rows(partition).scan(session_key(station_id, ""))
            return next(sessions, None) is not None

    def station_ids(self, partition: int, after: str | None) -> Iterator[str]:
        with self._reading(partition):
            heard = heapq.merge(
                self._stations(partition).station_ids(after),
                self._sessions(partition).station_ids(after),
            )
            last = None
            for station_id in heard:
                if station_id != last:
                    yield station_id
                last = station_id

    def kept(self, station_id: str, session_id: str) -> KeptSession | None:
        partition = self.partition_of(station_id)
        with self._reading(partition):
            row = self._sessions(partition).row(station_id, session_id)
            return None if row is None else self._kept(partition, station_id, session_id, row)

    def session(self, station_id: str, session_id: str) -> SessionState | None:
        """Return what a session's records say (for tests: :mod:`evcharge.testing`)."""
        kept = self.kept(station_id, session_id)
        return None if kept is None else kept.state

    def sessions_of(self, station_id: str) -> Iterator[tuple[str, KeptSession]]:
        partition = self.partition_of(station_id)
        with self._reading(partition):
            for session_id, row in self._sessions(partition).rows_of(station_id):
                yield session_id, self._kept(partition, station_id, session_id, row)

    def held_sessions(self, partition: int, after: tuple[str, str] | None) -> Iterator[KeptSession]:
        with self._reading(partition):
            for station_id, session_id in held_sessions(self._rows(partition), after):
                row = self._sessions(partition).row(station_id, session_id)
                if row is not None and is_held(row.state, row.account):
                    yield self._kept(partition, station_id, session_id, row)

    def open_sessions(self, station_id: str) -> Sequence[OpenSession]:
        partition = self.partition_of(station_id)
        with self._reading(partition):
            return self._sessions(partition).open_sessions(station_id)

    def stations_having(self, partition: int, session_id: str) -> Iterator[str]:
        with self._reading(partition):
            yield from self._sessions(partition).stations_having(session_id)

    # -- billing

    def invoice(self, partition: int, invoice_id: str) -> bytes | None:
        with self._reading(partition):
            return InvoicesReader(self._rows(partition)).invoice(invoice_id)

    def invoices_of(
        self, partition: int, user_id: str, after: str | None
    ) -> Iterator[tuple[str, bytes]]:
        with self._reading(partition):
            yield from InvoicesReader(self._rows(partition)).invoices_of(user_id, after)

    def unpublished_tariff(self, partition: int, digest: str) -> bytes | None:
        with self._reading(partition):
            row = self._rows(partition).get(tariff_key(digest))
            return None if row is None else decode_tariff(row)

    # -- register

    def registered(self, station_id: str) -> RegisteredStation | None:
        return self._app.reference.register.get(station_id)

    def registered_ids(self, after: str | None) -> Iterator[str]:
        return self._app.reference.register.ids(after)

    # -- parts

    def _table(self, name: str) -> StateTable:
        table = self._app.tables[name]
        assert isinstance(table, StateTable)
        return table

    def _stations(self, partition: int) -> StationStatusReader:
        return StationStatusReader(self._table(station_status.NAME).partition(partition))

    def _sessions(self, partition: int) -> ChargingSessionsReader:
        return ChargingSessionsReader(self._rows(partition))

    def _rows(self, partition: int) -> PartitionStore:
        """Return the rows of the sessions, and of what billing adds to them."""
        return self._table(charging_sessions.NAME).partition(partition)

    def _kept(
        self, partition: int, station_id: str, session_id: str, row: SessionRow
    ) -> KeptSession:
        def records() -> Sequence[SessionRecord]:
            with self._reading(partition):
                return stored_records(self._rows(partition), station_id, session_id, row)

        session = Session(station_id, session_id, row.state, records, self._limits)
        unbilled = why_unbilled(
            row.account, unpriced=row.unpriced, is_billing=self._app.settings.billing
        )
        return KeptSession(session, row.account, unbilled)

    @contextmanager
    def _reading(self, partition: int) -> Iterator[None]:
        """Refuse partitions that cannot be read here, also when they leave while we read."""
        if partition not in self.readable():
            raise PartitionLostError(partition)
        try:
            yield
        except DbClosedError:
            raise PartitionLostError(partition) from None
