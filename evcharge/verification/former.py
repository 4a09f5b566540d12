"""What the settings of workers said once, and say no more: bills keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evcharge.domain.billing.series import Issuer


class Former(NamedTuple):
    """Each can have been with each."""

    tariffs: Sequence[bytes] = ()
    """Documents of default tariffs."""
    time_zones: Sequence[str] = ()
    """Default time zones, by their IANA names."""
    issuers: Sequence[Issuer] = ()


NEVER_OTHERS = Former()
"""The settings said what they say now."""
