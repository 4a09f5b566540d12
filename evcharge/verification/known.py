"""What is known of sessions once their rows were compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from evcharge.domain.billing.account import Account
from evcharge.domain.session import SessionState
from evcharge.domain.session_record import SessionRecord
from evcharge.events.rejection import Rejected
from evcharge.verification.costs import CostJson
from evcharge.verification.session_sources import SessionId


class Known(NamedTuple):
    """A session as it has to be."""

    state: SessionState
    account: Account | None
    costs: Callable[[int], Sequence[CostJson]]
    """What it may be said to cost at an instant, which is now."""
    records: Sequence[SessionRecord]
    """Those that are kept, in the order of arrival."""


class Checked(NamedTuple):
    """The sessions of a partition."""

    sessions: dict[SessionId, Known]
    """Each one that is not forgotten."""
    refused: dict[tuple[str, int, int], Rejected]
    """Records that a rule refused, by topic, partition and offset."""
    stations: set[str]
    """Those that a session's row names, be it forgotten or only decided about."""

    def tariffs(self) -> set[str]:
        """Return the digests of the tariffs without a version that the sessions' accounts name."""
        accounts = (known.account for known in self.sessions.values())
        named = (account.terms for account in accounts if account is not None)
        return {
            terms.tariff_digest
            for terms in named
            if terms is not None and terms.tariff_version is None
        }
