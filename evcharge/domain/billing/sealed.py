"""A sealed session as it is read back: by itself enough to price it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from evcharge.domain.billing.account import Facts, Total
from evcharge.domain.billing.terms import Terms
from evcharge.domain.pricing import Usage


class Sealed(NamedTuple):
    """One record of ``sealed-sessions``."""

    station_id: str
    session_id: str
    bill: int
    is_void: bool
    revision: int
    facts: Facts
    billed_us: int
    terms: Terms
    document: bytes
    """The tariff's."""
    usage: Usage
    cost: Mapping[str, Any]
    """As it was written, in the contract's JSON form."""
    currency: str
    total: Total
    duration_us: int
    """As it was written."""
    meter_start_uwh: int | None
    meter_end_uwh: int | None
    decision_id: str | None = None
    """Of the decision that led to it, if one did."""
