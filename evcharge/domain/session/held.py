"""Why a session is held for a person instead of being billed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class HeldReason(StrEnum):
    """The fixed list of reasons, in the order in which they are shown; :data:`EXPLAINED` tells each.

    A session's state stores its reasons as bits, a reason's bit being its place in this list: new
    reasons go at the end and none is ever removed.
    """

    NO_START = "no-start"
    NO_ENERGY = "no-energy"
    END_BEFORE_START = "end-before-start"
    ENERGY_DECREASED = "energy-decreased"
    TIMESTAMP_AHEAD = "timestamp-ahead"
    TOO_LONG = "too-long"
    CONFLICTING_END = "conflicting-end"
    CONFLICTING_USER = "conflicting-user"
    TOO_MANY_READINGS = "too-many-readings"
    OVER_POWER = "over-power"
    NO_TARIFF = "no-tariff"
    CHANGED_AFTER_INVOICE = "changed-after-invoice"
    ENERGY_LEAPED = "energy-leaped"

    @property
    def bit(self) -> int:
        """The reason as a bit of ``SessionState.reasons``."""
        return 1 << _PLACES[self]


_PLACES = {reason: place for place, reason in enumerate(HeldReason)}


def held_reasons(bits: int) -> tuple[HeldReason, ...]:
    """Return the reasons that are set in ``bits``, in the order of the list."""
    return tuple(reason for reason in HeldReason if bits & reason.bit)


class Basis(StrEnum):
    """What a reason is found from."""

    RECORDS = "records"
    """The set of the session's records alone, by the fold."""
    TERMS = "terms"
    """The records and the terms that were frozen when the session was sealed."""
    BILL = "bill"
    """The records and what was billed."""


class Explained(NamedTuple):
    """What a person is told about a reason."""

    means: str
    vanishes: str | None
    """With which record; None: no record takes it away, a person decides."""
    thresholds: tuple[str, ...] = ()
    """The settings that it depends on."""
    basis: Basis = Basis.RECORDS


_END = "an end that states it, or a correction"

EXPLAINED: Mapping[HeldReason, Explained] = {
    HeldReason.NO_START: Explained(
        "Ended, and nothing says when it started.",
        "a start, or an end that states it",
    ),
    HeldReason.NO_ENERGY: Explained(
        "Ended, and nothing says how much energy it took. 0 is an amount; a register alone is none.",
        f"a reading before the end, {_END}",
        ("max_leap_kwh",),
    ),
    HeldReason.END_BEFORE_START: Explained(
        "The end is strictly before the start. Equal ones make a session of 0 s.",
        "an earlier start, or a correction",
    ),
    HeldReason.ENERGY_DECREASED: Explained(
        "A reading, or the end, is below what was read before ([below](#energy)).",
        "a correction, or a reading that explains it (the base of a register)",
        ("max_leap_kwh",),
    ),
    HeldReason.TIMESTAMP_AHEAD: Explained(
        "The time of a record, or the start that it states, is ahead of its ingest.",
        None,
        ("max_session_ahead_s",),
    ),
    HeldReason.TOO_LONG: Explained(
        "Ended, and longer than a session can be, or than can be priced: local time changes its tariff"
        " more than 20,000 times.",
        "a start or a correction that makes it shorter",
        ("max_session_s",),
    ),
    HeldReason.CONFLICTING_END: Explained(
        "Two ends differ in time or energy.",
        "a correction, or a reading that makes them equal (the base of a register)",
    ),
    HeldReason.CONFLICTING_USER: Explained(
        "Two records name different users.",
        None,
    ),
    HeldReason.TOO_MANY_READINGS: Explained(
        "More different records than are kept; holds a session before its end, too.",
        None,
        ("max_session_readings",),
    ),
    HeldReason.OVER_POWER: Explained(
        "More energy between two readings, or in the whole session, than the connector's rated power"
        " can give. Only where the register states a power.",
        "an earlier start, or a correction",
        ("power_tolerance_percent", "power_tolerance_s"),
        Basis.TERMS,
    ),
    HeldReason.NO_TARIFF: Explained(
        "The register names a tariff for the station that was not known when the session was completed.",
        "any further record once the tariff is known",
        basis=Basis.TERMS,
    ),
    HeldReason.CHANGED_AFTER_INVOICE: Explained(
        "A record changed the start, end, energy, user or cost that was billed, or decided about.",
        "a correction back to what was billed",
        basis=Basis.BILL,
    ),
    HeldReason.ENERGY_LEAPED: Explained(
        "A register is further above the energy so far than a car takes between two readings"
        " ([below](#energy)).",
        "an end or a correction that states its energy, or a register in between",
        ("max_leap_kwh",),
    ),
}
