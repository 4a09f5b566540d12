"""What a worker is asked about all partitions together, collected from one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from evcharge.domain.billing.standing import standing_of
from evcharge.domain.session import Lifecycle
from evcharge.verification.answers import document_digest, session_facts
from evcharge.verification.known import Checked
from evcharge.verification.over_http import Asked
from evcharge.verification.papers import said
from evcharge.verification.report import Report
from evcharge.verification.session_sources import SessionId


class Across:
    """Keeps of each partition what the lists have to say: ids, and of held sessions their facts."""

    def __init__(self, registered: Iterable[str]) -> None:
        """``registered`` are the ids of the stations in the register."""
        self._stations = set(registered)
        self._held: dict[SessionId, Mapping[str, Any]] = {}
        self._users: dict[str, dict[str, bytes]] = {}
        """The digests of each user's documents, by their ids."""
        self._is_whole = True
        """Whether the sessions of all partitions could be told."""

    def take_up(
        self,
        spoke: Iterable[str],
        checked: Checked | None,
        invoices: Mapping[str, Mapping[str, bytes]],
    ) -> None:
        """Take up a partition: the stations that spoke, its sessions, each station's documents by id.

        ``checked`` is None where its sessions cannot be told.
        """
        self._stations.update(spoke)
        if checked is None:
            self._is_whole = False
        else:
            self._take_up_sessions(checked)
        for documents in invoices.values():
            for name, document in documents.items():
                user_id = said(document)["user_id"]
                self._users.setdefault(user_id, {})[name] = document_digest(document)

    def _take_up_sessions(self, checked: Checked) -> None:
        self._stations.update(checked.stations)
        for one, known in checked.sessions.items():
            if standing_of(known.state, known.account).standing is Lifecycle.HELD:
                self._held[one] = session_facts(*one, known)

    async def check(self, asked: Asked, sample: int | None, report: Report) -> None:
        """Compare the lists with what a worker answers; those of ``sample`` users, of all if None."""
        if self._is_whole:
            await asked.check_list(self._stations)
            await asked.check_held(self._held)
        else:
            report.unchecked["lists of stations and of held sessions over HTTP"] += 1
        for user_id, documents in sorted(self._users.items())[:sample]:
            await asked.check_user(user_id, documents)
