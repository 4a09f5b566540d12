"""The sealed sessions and invoices of one session, compared with what the rules write.

A rule says what is to be written (a bill, a credit); here it becomes the bytes of the records, and those
have to be there, one after the other. What a record may have by chance is taken from the record itself:
the number (``bills.py`` checks it) and the issuer, which the settings of the worker had (the audit
compares it with those that they ever named).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from evcharge.domain.billing.bill import Bill
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.rebill import Credit, Output
from evcharge.domain.billing.series import Issuer
from evcharge.domain.session import Completion
from evcharge.domain.session.order import Value
from evcharge.events.invoice import encode_credit_note, encode_invoice, issuer_bytes
from evcharge.events.sealed_session import encode_bill
from evcharge.events.unpriced_session import encode_unpriced

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Papers(NamedTuple):
    """The documents that were found of one session, in the order of the log."""

    sealed: Sequence[bytes] = ()
    invoices: Sequence[bytes] = ()


class Upto(NamedTuple):
    """How many of them were accounted for."""

    sealed: int = 0
    invoices: int = 0


class Wrong(NamedTuple):
    """The first that is not as it has to be."""

    sort: str
    detail: str
    upto: Upto


def accounted(
    session: tuple[str, str],
    papers: Papers,
    upto: Upto,
    outputs: Sequence[Output],
    values: Mapping[tuple[int, int], Value],
) -> Upto | Wrong:
    """Return how far the papers are accounted for after some more outputs, or what is wrong.

    ``values``: what the session's record at a partition and offset says.
    """
    for output in outputs:
        after = (
            _credited(session, papers, upto, output)
            if isinstance(output, Credit)
            else _billed(papers, upto, output, values)
        )
        if isinstance(after, Wrong):
            return after
        upto = after
    return upto


def accounted_unpriced(
    session: tuple[str, str], papers: Papers, upto: Upto, completion: Completion
) -> Upto | Wrong | None:
    """Return how far the papers are accounted for after a session was sealed without a price.

    None: what was sealed next has one, or nothing was.
    """
    found = papers.sealed[upto.sealed] if upto.sealed < len(papers.sealed) else None
    if found is None or not is_unpriced(found):
        return None
    expected = encode_unpriced(*session, completion)
    if found != expected:
        return Wrong("changed", f"sealed without a price: {_difference(found, expected)}", upto)
    return upto._replace(sealed=upto.sealed + 1)


def is_unpriced(sealed: bytes) -> bool:
    """Whether a record of ``sealed-sessions`` is of a session that is not billed."""
    return said(sealed)["terms"] is None


def left(papers: Papers, upto: Upto) -> Wrong | None:
    """Return what nothing accounts for, if anything is left."""
    sealed, invoices = papers.sealed[upto.sealed :], papers.invoices[upto.invoices :]
    if sealed:
        return Wrong("surplus", f"sealed session {_shown(sealed[0])}", upto)
    if invoices:
        return Wrong("surplus", f"invoice {_shown(invoices[0])}", upto)
    return None


def _credited(session: tuple[str, str], papers: Papers, upto: Upto, credit: Credit) -> Upto | Wrong:
    name = f"the credit note of bill {credit.bill}"
    if upto.invoices == len(papers.invoices):
        return Wrong("missing", name, upto)
    wanted = invoice_id(Kind.INVOICE, *session, credit.bill)
    invoice = next((each for each in papers.invoices if said(each)["invoice_id"] == wanted), None)
    if invoice is None:
        return Wrong("missing", f"the invoice {wanted}", upto)
    found = papers.invoices[upto.invoices]
    number = said(found)["number"]
    expected = encode_credit_note(invoice, *session, credit.bill, number, credit.credited_us)
    if found != expected:
        return Wrong("changed", f"{name}: {_difference(found, expected)}", upto)
    return upto._replace(invoices=upto.invoices + 1)


def _billed(
    papers: Papers, upto: Upto, bill: Bill, values: Mapping[tuple[int, int], Value]
) -> Upto | Wrong:
    if upto.sealed == len(papers.sealed):
        return Wrong("missing", f"bill {bill.number} among the sealed sessions", upto)
    found, expected = papers.sealed[upto.sealed], encode_bill(bill)
    if found != expected and not _is_same_but_for_repeats(found, expected, values):
        return Wrong("changed", f"bill {bill.number}: {_difference(found, expected)}", upto)
    upto = upto._replace(sealed=upto.sealed + 1)
    if not bill.is_invoiced:
        return upto
    name = f"the invoice of bill {bill.number}"
    if upto.invoices == len(papers.invoices):
        return Wrong("missing", name, upto)
    found = papers.invoices[upto.invoices]
    invoice = said(found)
    issuer = issuer_bytes(Issuer(**invoice["issuer"]))
    expected = encode_invoice(bill, invoice["number"], issuer)
    if found != expected:
        return Wrong("changed", f"{name}: {_difference(found, expected)}", upto)
    return upto._replace(invoices=upto.invoices + 1)


def _is_same_but_for_repeats(
    found: bytes, expected: bytes, values: Mapping[tuple[int, int], Value]
) -> bool:
    """Whether two sealed records only differ in which repeats of a record are evidence.

    A repeat that appeared earlier than the record that arrived first is kept beside it. Which of the
    two are known when a session is sealed depends on whether they came in one chunk.
    """
    one, other = said(found), said(expected)
    evidence = [each.pop("evidence", None) or {} for each in (one, other)]
    places = [map(tuple, each.pop("charging-sessions", [])) for each in evidence]
    kept, wanted = ({values.get(place) for place in some} for some in places)
    return one == other and evidence[0] == evidence[1] and None not in kept and kept == wanted


def said(document: bytes) -> dict[str, Any]:
    """Return the members of a document that was taken up (``documents.py``)."""
    return _decode(document)


def _difference(found: bytes, expected: bytes) -> str:
    one, other = said(found), said(expected)
    parts = [
        f"{name} is {_short(one.get(name))} instead of {_short(other.get(name))}"
        for name in {**other, **one}
        if one.get(name) != other.get(name)
    ]
    return ", ".join(parts) or "the same, written in another way"


def _short(member: object) -> str:
    text = repr(member)
    return text if len(text) <= 120 else text[:120] + "…"


def _shown(record: bytes) -> str:
    members: Mapping[str, Any] = said(record)
    return " ".join(
        f"{name} {members[name]!r}"
        for name in ("kind", "number", "bill", "state")
        if name in members
    )
