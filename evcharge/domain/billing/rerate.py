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
    """A session whose total is another one. Sorted by size of the difference, then by name."""

    size: int
    """Of new minus old, without its sign, in minor units with VAT."""
    station_id: str
    session_id: str
    old: int
    """With VAT, as `new`."""
    new: int
    currency: str


@dataclass(slots=True)
class RerateReport:
    """What a run over sealed sessions found; its memory does not grow with their number.

    Totals are in minor units with VAT, by currency: old and new can have different ones.
    """

    most_differences: int = 20
    sessions: int = 0
    changed: int = 0
    """Sessions whose total, or its currency, differs."""
    old_totals: dict[str, int] = field(default_factory=dict)
    new_totals: dict[str, int] = field(default_factory=dict)
    _biggest: list[Difference] = field(default_factory=list)

    def add(self, sealed: Sealed, new: Cost) -> None:
        """Take up a session. One that is void counts for nothing: neither then nor now."""
        if sealed.is_void:
            return
        old, rated = sealed.total.incl_vat, new.incl_vat
        self.sessions += 1
        self.old_totals[sealed.currency] = self.old_totals.get(sealed.currency, 0) + old
        self.new_totals[new.currency] = self.new_totals.get(new.currency, 0) + rated
        if (sealed.currency, sealed.total) == (new.currency, total_of(new)):
            return
        self.changed += 1
        if not self.most_differences:
            return
        difference = Difference(
            abs(rated - old), sealed.station_id, sealed.session_id, old, rated, new.currency
        )
        if len(self._biggest) < self.most_differences:
            heappush(self._biggest, difference)
        else:
            heappushpop(self._biggest, difference)

    @property
    def biggest(self) -> list[Difference]:
        """The sessions that differ most, the biggest difference first."""
        return nlargest(self.most_differences, self._biggest)
