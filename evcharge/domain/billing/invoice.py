"""The ids of invoices and credit notes: a function of what they are about."""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b


class Kind(StrEnum):
    """The contract's ``kind``."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


def invoice_id(kind: Kind, station_id: str, session_id: str, bill: int) -> str:
    """Return the id of the invoice of a session's bill, or of the credit note that takes it back.

    32 hexadecimal digits. They tell nothing of the session: whoever has one cannot guess another.
    """
    # No id contains the separator.
    subject = f"{kind}\0{station_id}\0{session_id}\0{bill}".encode()
    return blake2b(subject, digest_size=16, person=b"evcharge-invoice").hexdigest()
