"""Invoices recomputed from what was sealed: every difference is a defect, or somebody's doing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from evcharge.domain.billing.bill import is_payable
from evcharge.domain.billing.credit_note import credit_note
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.sealed import Sealed
from evcharge.domain.billing.series import Issuer, Series, counter_of, next_number
from evcharge.domain.pricing import Plan, cost_json, price
from evcharge.domain.quantities import format_timestamp, kwh


class Mismatch(NamedTuple):
    """Something that does not follow from the stored terms and segments."""

    what: str
    """The member, by its path, or the document that is missing or one too many."""
    found: str
    expected: str


def audit(
    sealed: Sealed,
    plan: Plan,
    invoice: Mapping[str, Any] | None,
    *,
    issuers: Sequence[Issuer] = (),
    is_credited: bool = False,
    is_last: bool = True,
) -> list[Mismatch]:
    """Return where a sealed session and its invoice are not what they are when computed anew.

    ``plan`` is that of the tariff in the sealed record, ``invoice`` the invoice of the sealed bill in
    the contract's JSON form (None: there is none), ``is_credited`` whether a credit note takes it back;
    ``is_last`` whether no later bill of the session was sealed. ``issuers`` are those that the settings
    ever named, the present one first (none: whoever the invoice names). Its number is left to
    :class:`Numbers`.
    """
    facts = sealed.facts
    assert facts.ended_us is not None, "sealed"
    assert facts.started_us is not None, "sealed"
    assert facts.energy_uwh is not None, "sealed"
    usage = sealed.usage
    energy = sum(int(segment.energy_uwh) for segment in usage.segments)
    lasted = sum(int(segment.duration_us) for segment in usage.segments)
    lasts = facts.ended_us - facts.started_us
    found = _compared("energy of the segments", energy, facts.energy_uwh)
    found += _compared("duration of the segments", lasted, lasts)
    found += _compared("duration", sealed.duration_us, lasts)
    begin, end = sealed.meter_start_uwh, sealed.meter_end_uwh
    if begin is not None or end is not None:
        by_meter = None if begin is None or end is None else end - begin
        found += _compared("energy by the meter", by_meter, facts.energy_uwh)
    cost = cost_json(price(plan, usage))
    found += _compared("cost", sealed.cost, cost)
    if sealed.is_void or not is_payable(facts, sealed.total):
        return found if invoice is None else [*found, Mismatch("invoice", "one", "none")]
    if invoice is None:
        return [*found, Mismatch("invoice", "none", "one")]
    issuer = invoice.get("issuer")
    known = [each._asdict() for each in issuers]
    expected = {
        "v": 1,
        "invoice_id": invoice_id(Kind.INVOICE, sealed.station_id, sealed.session_id, sealed.bill),
        "number": invoice.get("number"),
        "kind": Kind.INVOICE.value,
        "credits": None,
        "subject": {"session_id": sealed.session_id},
        "station_id": sealed.station_id,
        "user_id": facts.user_id,
        "started_at": format_timestamp(facts.started_us),
        "ended_at": format_timestamp(facts.ended_us),
        "time_zone": sealed.terms.time_zone,
        "meter_start_kwh": None if begin is None else kwh(begin),
        "meter_end_kwh": None if end is None else kwh(end),
        "energy_kwh": kwh(facts.energy_uwh),
        "cost": cost,
        "issuer": issuer if not known or issuer in known else known[0],
        "issued_at": format_timestamp(sealed.billed_us),
    }
    found += _compared("invoice", invoice, expected)
    if is_credited == is_last:
        words = ("none", "one")
        found.append(Mismatch("credit note", words[is_credited], words[not is_last]))
    return found


def audit_credit_note(note: Mapping[str, Any], invoice: Mapping[str, Any]) -> list[Mismatch]:
    """Return where a credit note is not the opposite of the invoice that it names; none expected.

    Its id and number are what they are found by; for when it was issued see :func:`audit_successor`.
    """
    own = {"credit_id": "invoice_id", "number": "number", "issued_at": "issued_at"}
    try:
        expected = credit_note(invoice, **{name: note[member] for name, member in own.items()})
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        return [Mismatch("invoice", repr(problem), "one that can be credited")]
    return _compared("credit_note", note, expected)


def audit_successor(note: Mapping[str, Any], sealed: Sealed) -> list[Mismatch]:
    """Return where a credit note does not fit the bill behind the one that it takes back.

    Both follow from the same record or decision; and what makes a bill void leaves its facts.
    """
    expected: dict[str, Any] = {"issued_at": format_timestamp(sealed.billed_us)}
    facts = sealed.facts
    if sealed.is_void:
        assert facts.ended_us is not None, "sealed"
        assert facts.started_us is not None, "sealed"
        assert facts.energy_uwh is not None, "sealed"
        expected |= {
            "user_id": facts.user_id,
            "started_at": format_timestamp(facts.started_us),
            "ended_at": format_timestamp(facts.ended_us),
            "time_zone": sealed.terms.time_zone,
            "energy_kwh": kwh(facts.energy_uwh),
        }
    found = {member: note.get(member) for member in expected}
    return _compared("credit_note", found, expected)


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


def _compared(what: str, found: object, expected: object) -> list[Mismatch]:
    """Return the members that differ, each by its path; an array is compared as a whole."""
    if found == expected:
        return []
    if not isinstance(found, Mapping) or not isinstance(expected, Mapping):
        return [Mismatch(what, str(found), str(expected))]
    wrong = []
    for name in {**expected, **found}:
        path = f"{what}.{name}"
        if name not in found:
            wrong.append(Mismatch(path, "absent", str(expected[name])))
        elif name not in expected:
            wrong.append(Mismatch(path, str(found[name]), "absent"))
        else:
            wrong += _compared(path, found[name], expected[name])
    return wrong
