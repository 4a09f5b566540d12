"""What dead letters say of sessions, and which decisions about one have to have such a letter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.settle import HARMLESS, Settled
from evcharge.events.rejection import Reason, Rejected
from evcharge.verification.memory import forgotten
from evcharge.verification.sources import place_of_dead_letter

_REASONS = {reason.value: reason for reason in Reason}


class Refused:
    """What the dead letters of a partition say, by the partition and offset of what they are about."""

    def __init__(self, sessions: str, decisions: str) -> None:
        """Take the names of the two topics."""
        self._sessions = sessions
        self._decisions = decisions
        self.declined: dict[tuple[int, int], Rejected] = {}
        """What each says that is about a decision, if its reason is one of ours."""
        self.late: set[tuple[int, int]] = set()
        """Records of sessions that came too late."""

    def take_up(self, records: Iterable[Any]) -> None:
        """Take up the next records of ``dead-letters``."""
        for record in records:
            place, said = place_of_dead_letter(record), dict(record.headers)
            if place is None:
                continue
            if place.topic == self._decisions:
                reason, detail = (_text(said.get(name)) for name in ("reason", "detail"))
                if reason in _REASONS:
                    rejected = Rejected(_REASONS[reason], detail)
                    self.declined[place.partition, place.offset] = rejected
            elif place.topic == self._sessions and _text(said.get("reason")) == Reason.TOO_LATE:
                self.late.add((place.partition, place.offset))


class Letters:
    """The dead letters of one session's decisions, which are named by their number in the log."""

    def __init__(
        self, session_id: str, decisions: Sequence[Decision], found: Mapping[int, Rejected]
    ) -> None:
        """``found``: numbers of the decisions that have one, and what it says."""
        self._session_id = session_id
        self._decisions = decisions
        self._numbers = {_place(each): number for number, each in enumerate(decisions)}
        self._found = found

    def refused(self, settled: Settled, decision: Decision | None = None) -> dict[int, Rejected]:
        """Return the decisions that cannot be carried out: such as had waited, and this one."""
        why = {each.decision: each.why for each in settled.refused}
        if decision is not None and settled.refusal is not None and settled.refusal not in HARMLESS:
            why[decision] = settled.refusal
        return self.of(why)

    def of(self, why: Mapping[Decision, str]) -> dict[int, Rejected]:
        """Return decisions as refused, in these words."""
        return {self._numbers[_place(each)]: self._refused(words) for each, words in why.items()}

    def says(self, decision: Decision, words: str) -> bool:
        """Whether the dead letter of a decision says that it was refused in these words."""
        return self._found.get(self._numbers[_place(decision)]) == self._refused(words)

    def says_late(self, decision: Decision) -> bool:
        """Whether the dead letter of a decision says that its session was forgotten."""
        return self._found.get(self._numbers[_place(decision)]) == self._late()

    def _refused(self, words: str) -> Rejected:
        return Rejected(Reason.DECISION_REFUSED, f"session {self._session_id}: {words}")

    def late(self, decisions: Iterable[Decision]) -> dict[int, Rejected]:
        """Return the decisions as refused because the session is forgotten."""
        return {self._numbers[_place(each)]: self._late() for each in decisions}

    def _late(self) -> Rejected:
        return Rejected(Reason.TOO_LATE, forgotten(self._session_id))

    def wrong(
        self, decisions: Iterable[Decision], refused: Mapping[int, Rejected]
    ) -> tuple[str, str] | None:
        """Return which of these decisions has another dead letter than it has to, or none.

        What it says counts: of a session with too many records, how it was when a decision was taken up
        is not told by the revision, and there are courses that refuse it for other reasons.
        """
        for number in (self._numbers[_place(each)] for each in decisions):
            expected, found = refused.get(number), self._found.get(number)
            if expected is None and found is None:
                continue
            name = f"the dead letter of decision {self._decisions[number].decision_id}"
            if found is None or expected is None:
                return "surplus" if expected is None else "missing", name
            if found != expected:
                return "changed", f"{name}: {_told(found)} instead of {_told(expected)}"
        return None


def _place(decision: Decision) -> tuple[int, int]:
    return decision.partition, decision.offset


def _text(header: bytes | None) -> str:
    return (header or b"").decode(errors="replace")


def _told(rejected: Rejected) -> str:
    return f"{rejected.reason}, {rejected.detail}"
