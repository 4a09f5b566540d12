"""What the HTTP interface may know: a narrow, read-only view of the tables and the register."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, Self

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.bill import Session
from evcharge.domain.billing.standing import Stands, standing_of
from evcharge.domain.session import SessionState
from evcharge.domain.station_register import RegisteredStation
from evcharge.domain.station_session import OpenSession
from evcharge.domain.station_state import StationState


class PartitionLostError(Exception):
    """A table was read for a partition that cannot be read here, or no longer."""


class KeptSession(NamedTuple):
    """A session as it was at one moment: its records are those of then, whenever they are read."""

    session: Session
    account: Account | None = None
    unbilled: str | None = None
    """Why it is not billed (``evcharge.domain.billing.unpriced``); None: it is, or can be."""

    @property
    def state(self) -> SessionState:
        """What its records say."""
        return self.session.state

    @property
    def stands(self) -> Stands:
        """What it is, decisions included."""
        return standing_of(self.session.state, self.account)


class StateReader(Protocol):
    """Durable state only. Reads of tables raise :class:`PartitionLostError` instead of guessing.

    An iterator may be held over switches of the event loop, and may raise when a partition is lost in
    the meantime.
    """

    @property
    def partitions(self) -> int:
        """How many partitions the tables have."""

    def partition_of(self, station_id: str) -> int:
        """Which partition a station belongs to."""

    def owned(self) -> frozenset[int]:
        """The partitions that this worker owns with recovered tables."""

    def held(self) -> frozenset[int]:
        """Further partitions whose rows are here as a copy that may lag behind its owner.

        A copy knows what was so a moment ago. That something is not in it proves nothing.
        """

    def readable(self) -> frozenset[int]:
        """The partitions that can be read here: those owned; of :meth:`with_copies` those held too."""

    def with_copies(self) -> Self:
        """The same view, in which partitions that are only held can be read as well."""

    def ready(self) -> bool:
        """Whether this worker is a member of the group with its tables and the register read."""

    def owners(self) -> Mapping[int, str]:
        """The URL of the worker that owns each partition; some may be missing in a rebalance."""

    def workers(self) -> Collection[str]:
        """The URLs of all workers, as far as this one has heard of them."""

    def station(self, station_id: str) -> StationState | None:
        """The last words of a station."""

    def is_heard_of(self, station_id: str) -> bool:
        """Whether a status, a session or a decision about one has named a station, however long ago."""

    def station_ids(self, partition: int, after: str | None) -> Iterator[str]:
        """Every station of a partition that is heard of, sorted, after an id."""

    def kept(self, station_id: str, session_id: str) -> KeptSession | None:
        """One session with its account."""

    def sessions_of(self, station_id: str) -> Iterator[tuple[str, KeptSession]]:
        """All sessions of a station with their ids, in any order."""

    def held_sessions(self, partition: int, after: tuple[str, str] | None) -> Iterator[KeptSession]:
        """The sessions of a partition that are held, sorted by station and session, after one."""

    def open_sessions(self, station_id: str) -> Sequence[OpenSession]:
        """The running sessions of a station."""

    def stations_having(self, partition: int, session_id: str) -> Iterator[str]:
        """The stations of a partition that have a session of this id, sorted."""

    def invoice(self, partition: int, invoice_id: str) -> bytes | None:
        """An invoice or a credit note of a partition, as it went to ``invoices``."""

    def invoices_of(
        self, partition: int, user_id: str, after: str | None
    ) -> Iterator[tuple[str, bytes]]:
        """What a partition has of a user's invoices, with their ids, sorted by these, after one."""

    def unpublished_tariff(self, partition: int, digest: str) -> bytes | None:
        """The document of a tariff that the terms of a partition's sessions name by its digest."""

    def registered(self, station_id: str) -> RegisteredStation | None:
        """A station's entry in the register, which every worker has whole."""

    def registered_ids(self, after: str | None) -> Iterator[str]:
        """Every registered station, sorted, after an id."""
