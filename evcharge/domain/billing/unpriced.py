"""Sessions that are not billed: those that were first completed while billing was switched off."""

from __future__ import annotations

from evcharge.domain.billing.account import Account

IS_OFF = "billing is switched off"
WAS_OFF = "it was completed while billing was switched off"


def why_unbilled(account: Account | None, *, unpriced: bool, is_billing: bool) -> str | None:
    """Return why a session is not billed, in a few words for a person; None: it is, or can be.

    What has an account goes on as ever. ``unpriced``: the session was sealed without a price;
    ``is_billing``: whether billing is switched on now.
    """
    if account is not None:
        return None
    if unpriced:
        return WAS_OFF
    return None if is_billing else IS_OFF
