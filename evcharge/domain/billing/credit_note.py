"""A credit note takes an invoice back, whole: the same document with every amount negated.

The amounts are turned as the texts that were issued, never computed anew: what is taken back is what was
charged, whichever release charged it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evcharge.domain.billing.invoice import Kind

_TOTALS = ("excl_vat", "incl_vat")
_OF_VAT = ("base", "amount")


def credit_note(
    invoice: Mapping[str, Any], *, credit_id: str, number: str, issued_at: str
) -> dict[str, Any]:
    """Return the credit note of an invoice, which is in the contract's JSON form.

    Negated are the totals, each line's amounts, and each VAT row's; quantities, prices and rates tell
    what they were charged for and stay.

    Raises:
        ValueError: it is no invoice.
    """
    if invoice["kind"] != Kind.INVOICE:
        raise ValueError(f"{invoice['invoice_id']} is no invoice: only these are credited")
    cost = invoice["cost"]
    negated = {
        **_negated(cost, _TOTALS),
        "vat": [_negated(row, _OF_VAT) for row in cost["vat"]],
        "lines": [_negated(line, _TOTALS) for line in cost["lines"]],
    }
    return {
        **invoice,
        "invoice_id": credit_id,
        "number": number,
        "kind": Kind.CREDIT_NOTE.value,
        "credits": {"invoice_id": invoice["invoice_id"], "number": invoice["number"]},
        "cost": {name: negated[name] for name in cost},
        "issued_at": issued_at,
    }


def _negated(amounts: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: negative(each) if name in names else each for name, each in amounts.items()}


def negative(amount: str) -> str:
    """Return the text of the opposite of a decimal; the opposite of zero is written as it is."""
    if not amount.strip("-0."):
        return amount
    return amount.removeprefix("-") if amount.startswith("-") else f"-{amount}"
