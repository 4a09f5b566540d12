"""Prices the sessions of a period under another tariff."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from evcharge.domain.billing.rerate import RerateReport, rerated
from evcharge.domain.billing.sealed import Sealed
from evcharge.domain.billing.terms import RatedTariff
from evcharge.domain.quantities import parse_timestamp
from evcharge.events.sealed_reading import SealedError, read_sealed_session
from evcharge.past_bills.period import Period
from evcharge.past_bills.sealed_log import LastBills, SealedLog, SealedRecord


class Wish(NamedTuple):
    """Which sessions are to be priced, and how."""

    tariff: RatedTariff
    period: Period
    """In which they start."""
    tariff_ids: frozenset[str] = frozenset()
    """Under which of these their last bill is; empty: whichever it is."""
    heeds_validity: bool = True
    """Whether sessions are left out at whose start the tariff, by its own dates, is not valid."""
    remembered_since_us: int | None = None
    """Sessions that were billed last before this instant are forgotten by the workers, and left out;
    None: that plays no part."""


@dataclass(slots=True)
class Priced:
    """What a run found."""

    report: RerateReport = field(default_factory=RerateReport)
    not_valid: int = 0
    """Sessions that were left out because the tariff is not valid at their start."""
    forgotten: int = 0
    """Sessions that were left out because workers have forgotten them."""
    not_billed: int = 0
    """Sessions that were left out because they were completed while billing was switched off."""
    unreadable: int = 0
    """Records that evcharge did not write, or whose tariff is of a release that this one cannot read."""
    first_unreadable: str = ""
    """Where the first one is, and why."""


async def price_anew(
    log: SealedLog,
    wish: Wish,
    priced: Priced,
    take: Callable[[Sealed], Awaitable[None]] | None = None,
) -> None:
    """Price each session that is meant, as it was billed last; ``take`` gets those that would change.

    Bounded memory: that of the report, and of :class:`LastBills` for one partition.

    Raises:
        CommandError: Kafka does not answer.
    """
    for partition in log.partitions:
        last = await log.last_bills(partition)
        async for record in log.records(partition):
            sealed = _meant(record, wish, last, priced, partition)
            if sealed is None or sealed.is_void or _is_left_out(sealed, wish, priced):
                continue
            _, new = rerated(sealed, wish.tariff.plan)
            if priced.report.add(sealed, new) and take is not None:
                await take(sealed)


def _is_left_out(sealed: Sealed, wish: Wish, priced: Priced) -> bool:
    """Whether a session that is meant cannot be re-rated; counts it then."""
    assert sealed.facts.started_us is not None, "sealed"
    if wish.heeds_validity and not wish.tariff.plan.tariff.is_valid_at(sealed.facts.started_us):
        priced.not_valid += 1
        return True
    since_us = wish.remembered_since_us
    is_forgotten = since_us is not None and sealed.billed_us < since_us
    priced.forgotten += is_forgotten
    return is_forgotten


def _meant(
    record: SealedRecord, wish: Wish, last: LastBills, priced: Priced, partition: int
) -> Sealed | None:
    """Return what a record says if it is the last bill of a session that is meant."""
    skimmed = record.skimmed
    try:
        if skimmed is None:
            raise SealedError("not a sealed session")
        if not wish.period.has(parse_timestamp(skimmed.started_at)) or not last.has_last(skimmed):
            return None
        if skimmed.terms is None:
            priced.not_billed += 1
            return None
        if wish.tariff_ids and skimmed.terms.tariff_id not in wish.tariff_ids:
            return None
        return read_sealed_session(record.value or b"")
    except ValueError as problem:
        priced.unreadable += 1
        priced.first_unreadable = (
            priced.first_unreadable or f"{partition}:{record.offset}, {problem}"
        )
        return None
