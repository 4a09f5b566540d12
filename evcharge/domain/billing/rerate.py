"""Sealed sessions under another tariff: what a re-rating would change, or a tariff would have earned."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappush, heappushpop, nlargest
from typing import NamedTuple

from evcharge.domain.billing.account import Total
from evcharge.domain.billing.bill import is_payable, total_of
from evcharge.domain.billing.sealed import Sealed
from evcharge.domain.pricing import Cost, Plan, price


class Rerated(NamedTuple):
    """One session under the tariff that it was billed with and under another one."""

    old: Total
    """As it was sealed."""
    new: Cost


def rerated(sealed: Sealed, plan: Plan) -> Rerated:
    """Return what a sealed session was billed and what it would be under another tariff.

    Its segments, its time zone and its start are those that were sealed.
    """
    return Rerated(sealed.total, price(plan, sealed.usage))


def is_to_be_rerated(sealed: Sealed, new: Cost) -> bool:
    """Whether a re-rating would write a credit note or an invoice for a session."""
    if sealed.is_void:
        return False
    total = total_of(new)
    is_same = (sealed.currency, sealed.total) == (new.currency, total)
    return not is_same and (
        is_payable(sealed.facts, sealed.total) or is_payable(sealed.facts, total)
    )


class Difference(NamedTuple):
    """A session that would cost something else. Sorted by size of the difference, then by name."""

    size: int
    """Of new minus old, without its sign, in minor units with VAT; in another currency, of new."""
    station_id: str
    session_id: str
    old: int
    """With VAT, as `new`."""
    new: int
    currency: str
    old_currency: str


@dataclass(slots=True)
class Sums:
    """What sessions come to, in minor units with VAT, by currency: old and new can differ in it."""

    sessions: int = 0
    old: dict[str, int] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)

    def add(self, sealed: Sealed, new: Cost) -> None:
        """Take up a session."""
        self.sessions += 1
        self.old[sealed.currency] = self.old.get(sealed.currency, 0) + sealed.total.incl_vat
        self.new[new.currency] = self.new.get(new.currency, 0) + new.incl_vat


@dataclass(slots=True)
class RerateReport:
    """What a run over sealed sessions found; its memory does not grow with their number."""

    most_differences: int = 20
    billed: Sums = field(default_factory=Sums)
    """Sessions with a user: somebody pays, or would."""
    nameless: Sums = field(default_factory=Sums)
    """Sessions without one: what they would cost is never invoiced."""
    changed: int = 0
    """Sessions that a re-rating would bill anew."""
    credit_notes: int = 0
    """That this would take: for the invoices that stand."""
    invoices: int = 0
    """For what is to be paid then."""
    tariffs: dict[str, int] = field(default_factory=dict)
    """How many sessions were billed under which tariff."""
    _biggest: list[Difference] = field(default_factory=list)

    @property
    def sessions(self) -> int:
        """How many were priced."""
        return self.billed.sessions + self.nameless.sessions

    def add(self, sealed: Sealed, new: Cost) -> bool:
        """Take up a session, and return whether a re-rating would bill it anew.

        One that is void counts for nothing: neither then nor now.
        """
        if sealed.is_void:
            return False
        (self.nameless if sealed.facts.user_id is None else self.billed).add(sealed, new)
        tariff_id = sealed.terms.tariff_id
        self.tariffs[tariff_id] = self.tariffs.get(tariff_id, 0) + 1
        if not is_to_be_rerated(sealed, new):
            return False
        self.changed += 1
        self.credit_notes += is_payable(sealed.facts, sealed.total)
        self.invoices += is_payable(sealed.facts, total_of(new))
        if self.most_differences:
            self._keep(sealed, new)
        return True

    def _keep(self, sealed: Sealed, new: Cost) -> None:
        old, rated = sealed.total.incl_vat, new.incl_vat
        difference = Difference(
            abs(rated - old) if sealed.currency == new.currency else rated,
            sealed.station_id,
            sealed.session_id,
            old,
            rated,
            new.currency,
            sealed.currency,
        )
        if len(self._biggest) < self.most_differences:
            heappush(self._biggest, difference)
        else:
            heappushpop(self._biggest, difference)

    @property
    def biggest(self) -> list[Difference]:
        """The sessions that differ most, the biggest difference first."""
        return nlargest(self.most_differences, self._biggest)
