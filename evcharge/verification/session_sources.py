"""All that the sessions of a partition follow from, and what was written of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from evcharge.domain.billing.decision import Decision
from evcharge.domain.session_record import SessionRecord
from evcharge.events.rejection import Rejected
from evcharge.events.session_decisions import Decided
from evcharge.verification.papers import Papers

SessionId: TypeAlias = tuple[str, str]
"""Station and session: what tells sessions apart."""


def named(session: SessionId) -> str:
    """Return how a difference names a session."""
    station_id, session_id = session
    return f"session {session_id} of {station_id}"


def by_session(records: Iterable[SessionRecord]) -> dict[SessionId, list[SessionRecord]]:
    """Group records by their session, in their order."""
    sessions: dict[SessionId, list[SessionRecord]] = {}
    for record in records:
        sessions.setdefault((record.station_id, record.session_id), []).append(record)
    return sessions


class Sources(NamedTuple):
    """All that a partition's sessions follow from, and what was written of them, by session."""

    direct: Mapping[SessionId, Sequence[SessionRecord]]
    rerouted: Mapping[SessionId, Sequence[SessionRecord]]
    decisions: Mapping[SessionId, Sequence[Decision]]
    papers: Mapping[SessionId, Papers]
    declined: Mapping[tuple[int, int], Rejected]
    """What the dead letter says of each decision that has one, by its partition and offset."""
    late: Collection[tuple[int, int]]
    """Partition and offset of each record that has a dead letter ``too-late``."""

    @classmethod
    def of(
        cls,
        direct: Iterable[SessionRecord],
        rerouted: Iterable[SessionRecord] = (),
        decisions: Iterable[Decided] = (),
        papers: Mapping[SessionId, Papers] | None = None,
        declined: Mapping[tuple[int, int], Rejected] | None = None,
        late: Collection[tuple[int, int]] = frozenset(),
    ) -> Sources:
        """Return them by session."""
        decided: dict[SessionId, list[Decision]] = {}
        for station_id, session_id, decision in decisions:
            decided.setdefault((station_id, session_id), []).append(decision)
        grouped = by_session(direct), by_session(rerouted)
        return cls(*grouped, decided, papers or {}, declined or {}, late)

    def sessions(self) -> Iterable[SessionId]:
        """Return every session that is spoken of anywhere."""
        return {**self.direct, **self.rerouted, **self.decisions, **self.papers}
