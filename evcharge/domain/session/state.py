"""The folded state of a session: its size does not depend on how many records made it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from evcharge.domain.session.energy import Metering
from evcharge.domain.session.held import HeldReason, held_reasons
from evcharge.domain.session.order import Position
from evcharge.domain.session_record import StoredRecord

_DECREASED = HeldReason.ENERGY_DECREASED.bit
_LEAPED = HeldReason.ENERGY_LEAPED.bit
_TOO_MANY = HeldReason.TOO_MANY_READINGS.bit


class Lifecycle(StrEnum):
    """What a session can be; the contract's ``state``."""

    ACTIVE = "active"
    COMPLETED = "completed"
    HELD = "held"
    VOID = "void"
    """A person decided that it is not billed; records alone never make a session so."""


class SessionState(NamedTuple):
    """What a set of records says of its session.

    A value of primitives that a table stores as the array of its fields, in this order, without trailing
    Nones: new fields go at the end, seldom used ones are last.
    """

    revision: int
    """How many distinct records there are; more than ``Limits.max_readings`` are not counted."""
    reasons: int
    """The held reasons as bits (:class:`HeldReason`)."""
    updated_us: int
    """The largest of the records' ingest times."""
    last_us: int
    """Timestamp of the last record in order, also of one behind the end."""
    last_rank: int
    """Rank of its kind."""
    started_us: int | None = None
    """The first start record's timestamp; of an ended session without one, what its end states."""
    energy_uwh: int | None = None
    """Energy so far, or finally (``energy.py``)."""
    power_mw: int | None = None
    """The last power read, null after the end."""
    user_id: str | None = None
    """The first that a record names."""
    named_connector_id: int | None = None
    """The first that a record names."""
    last_seq: int | None = None
    """Seq of the last record in order."""
    base_uwh: int | None = None
    """The register from which energy is counted."""
    register_uwh: int | None = None
    """The last register."""
    ended_us: int | None = None
    """Timestamp of the accepted end; None while the session is open."""
    closed_ingest_us: int | None = None
    """Ingest time of the accepted end: the contract counts deadlines and the invoice's date from it."""
    relative: bool | None = None
    """See :class:`~evcharge.domain.session.energy.Metering`."""
    witnesses: tuple[StoredRecord, ...] | None = None
    """Only of a session with too many records: the few that tell what it is (``flood.py``)."""

    @property
    def lifecycle(self) -> Lifecycle:
        """Active until its end is known, then completed, or held if there is any reason.

        The contract's ``state``.
        An active session may already show reasons, and stays active: whoever is charging can be seen to
        charge. Only too many readings hold a session before its end.
        """
        if self.reasons & _TOO_MANY:
            return Lifecycle.HELD
        if self.ended_us is None:
            return Lifecycle.ACTIVE
        return Lifecycle.HELD if self.reasons else Lifecycle.COMPLETED

    @property
    def held_reasons(self) -> tuple[HeldReason, ...]:
        """Why the session is held, or would be if it ended now."""
        return held_reasons(self.reasons)

    @property
    def is_open(self) -> bool:
        """Whether its end is not known yet; a session held for too many readings can be open."""
        return self.ended_us is None

    @property
    def connector_id(self) -> int:
        """The connector of the first record that names one, otherwise 1 (contract, *Words*)."""
        return 1 if self.named_connector_id is None else self.named_connector_id

    @property
    def duration_us(self) -> int | None:
        """End minus start; None while either is unknown and for an end before the start."""
        if self.ended_us is None or self.started_us is None or self.ended_us < self.started_us:
            return None
        return self.ended_us - self.started_us

    @property
    def meter_start_uwh(self) -> int | None:
        """The register at the start, if the registers account for the energy exactly."""
        return self.base_uwh if self._metered else None

    @property
    def meter_end_uwh(self) -> int | None:
        """The last register, if the registers account for the energy exactly."""
        return self.register_uwh if self._metered else None

    @property
    def _metered(self) -> bool:
        return (
            self.base_uwh is not None
            and self.register_uwh is not None
            and self.register_uwh - self.base_uwh == self.energy_uwh
        )

    @property
    def last_position(self) -> Position:
        """The place in the order of the last record."""
        seq = self.last_seq
        return (self.last_us, seq is not None, seq or 0, self.last_rank)

    @property
    def metering(self) -> Metering:
        """The state of the energy rule."""
        return Metering(
            self.energy_uwh,
            self.base_uwh,
            self.register_uwh,
            self.relative,
            bool(self.reasons & _DECREASED),
            bool(self.reasons & _LEAPED),
        )


EMPTY = SessionState(revision=0, reasons=0, updated_us=0, last_us=0, last_rank=0)
"""The state of no record at all: where every fold starts, never a session's."""
