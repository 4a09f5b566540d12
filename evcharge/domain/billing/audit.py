"""Invoices recomputed from what was sealed: every difference is a defect, or somebody's doing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from evcharge.domain.billing.bill import is_payable
from evcharge.domain.billing.credit_note import negative
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.sealed import Sealed
from evcharge.domain.billing.series import Series, counter_of, next_number
from evcharge.domain.pricing import Plan, cost_json, price
from evcharge.domain.quantities import format_timestamp, kwh


class Mismatch(NamedTuple):
    """Something that does not follow from the stored terms and segments."""

    what: str
    """The member, or the document that is missing or one too many."""
    found: str
    expected: str


def audit(
    sealed: Sealed,
    plan: Plan,
    invoice: Mapping[str, Any] | None,
    *,
    is_credited: bool = False,
    is_last: bool = True,
) -> list[Mismatch]:
    """Return where a sealed session and its invoice are not what they are when computed anew.

    ``plan`` is that of the tariff in the sealed record, ``invoice`` the invoice of the sealed bill in
    the contract's JSON form (None: there is none), ``is_credited`` whether a credit note takes it back;
    ``is_last`` whether no later bill of the session was sealed.
    """
    if sealed.is_void:
        return _missing(None, invoice)
    found = []
    facts = sealed.facts
    assert facts.ended_us is not None, "sealed"
    assert facts.started_us is not None, "sealed"
    assert facts.energy_uwh is not None, "sealed"
    usage = sealed.usage
    energy = sum(int(segment.energy_uwh) for segment in usage.segments)
    lasted = sum(int(segment.duration_us) for segment in usage.segments)
    found += _compared("energy of the segments", energy, facts.energy_uwh)
    found += _compared("duration of the segments", lasted, facts.ended_us - facts.started_us)
    cost = cost_json(price(plan, usage))
    found += _compared("cost", sealed.cost, cost)
    expected = None
    if is_payable(facts, sealed.total):
        expected = {
            "invoice_id": invoice_id(
                Kind.INVOICE, sealed.station_id, sealed.session_id, sealed.bill
            ),
            "kind": Kind.INVOICE.value,
            "credits": None,
            "subject": {"session_id": sealed.session_id},
            "station_id": sealed.station_id,
            "user_id": facts.user_id,
            "started_at": format_timestamp(facts.started_us),
            "ended_at": format_timestamp(facts.ended_us),
            "energy_kwh": kwh(facts.energy_uwh),
            "cost": cost,
            "issued_at": format_timestamp(sealed.billed_us),
        }
    if expected is None or invoice is None:
        return found + _missing(expected, invoice)
    for member, value in expected.items():
        found += _compared(f"invoice.{member}", invoice.get(member), value)
    if is_credited == is_last:
        words = ("none", "one")
        found.append(Mismatch("credit note", words[is_credited], words[not is_last]))
    return found


def audit_credit_note(note: Mapping[str, Any], invoice: Mapping[str, Any]) -> list[Mismatch]:
    """Return where a credit note is not the opposite of the invoice that it names; none expected."""
    found = []
    for member in ("subject", "station_id", "user_id", "started_at", "ended_at", "energy_kwh"):
        found += _compared(member, note.get(member), invoice.get(member))
    named = {"invoice_id": invoice["invoice_id"], "number": invoice["number"]}
    found += _compared("credits", note.get("credits"), named)
    for member in ("excl_vat", "incl_vat"):
        opposite = negative(invoice["cost"][member])
        found += _compared(f"cost.{member}", note["cost"].get(member), opposite)
    return found


class Numbers:
    """The numbers of all documents, in the order of the log: each series counts from 1, without a gap.

    Memory: a counter for each series.
    """

    def __init__(self) -> None:
        self._last: dict[Series, int] = {}

    @property
    def counters(self) -> Mapping[Series, int]:
        """The last number of each series."""
        return self._last

    def add(self, series: Series, number: str) -> list[Mismatch]:
        """Return whether a number is not the one behind the last of its series, and go on from it."""
        last = self._last.get(series, 0)
        expected, counter = next_number(series, last)
        found = counter_of(series, number)
        # Behind a gap the next one is right again; a number that is there already moves nothing.
        self._last[series] = counter if found is None else max(last, found)
        return _compared("number", number, expected)


def _missing(expected: object, invoice: object) -> list[Mismatch]:
    if (expected is None) == (invoice is None):
        return []
    words = {True: "none", False: "one"}
    return [Mismatch("invoice", words[invoice is None], words[expected is None])]


def _compared(what: str, found: object, expected: object) -> list[Mismatch]:
    return [] if found == expected else [Mismatch(what, str(found), str(expected))]
