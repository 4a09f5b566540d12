"""An issuer in a file: one whom the settings named once."""

from __future__ import annotations

import msgspec

from evcharge.domain.billing.series import Issuer
from evcharge.errors import CommandError


class _Issuer(msgspec.Struct, forbid_unknown_fields=True):
    """The member `issuer` of an invoice."""

    name: str
    address: str
    vat_id: str


def read_issuer(name: str, content: bytes) -> Issuer:
    """Return the issuer that a file holds; ``name`` is what the file is called in messages.

    Raises:
        CommandError: it holds none.
    """
    try:
        return Issuer(*msgspec.structs.astuple(msgspec.json.decode(content, type=_Issuer)))
    except (RecursionError, ValueError) as problem:
        raise CommandError(f"{name} is no issuer as in an invoice: {problem}") from None
