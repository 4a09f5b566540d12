"""Decisions that wait: their records, until they are carried out or become dead letters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.decision import Decision
from evcharge.domain.billing.settle import Settled
from evcharge.engine.chunk import FirstArrival
from evcharge.engine.step import Step
from evcharge.events.rejection import Reason, Rejected
from evcharge.events.session_decisions import Decided
from tables.closed_sessions import SessionId
from tables.waiting_decisions import WaitingDecision, decode_waiting, encode_waiting, waiting_key


class Gone(NamedTuple):
    """Decisions that wait no more. Made before anything is written."""

    keys: list[bytes]
    letters: list[tuple[FirstArrival, Rejected, str]]
    """The records of those that cannot be carried out, why, and their topic."""

    def post(self, step: Step) -> None:
        """Write it with the step."""
        for letter in self.letters:
            step.reject(*letter)
        for key in self.keys:
            step.put(key, None)


NOBODY = Gone([], [])


def keep_waiting(step: Step, decided: Decided) -> None:
    """Keep the record of a decision that this step has read, and that waits now."""
    record = step.source_of(decided)
    row = WaitingDecision(step.source_topic, record.key, record.value, record.headers)
    key = waiting_key(decided.station_id, decided.session_id, decided.offset)
    step.put(key, encode_waiting(row))


def refused(session_id: str, why: str) -> Rejected:
    """Return why a decision about a session is a dead letter."""
    return Rejected(Reason.DECISION_REFUSED, f"session {session_id}: {why}")


def forgotten(session_id: str) -> Rejected:
    """Return why a record or a decision of a forgotten session is a dead letter."""
    detail = f"session {session_id} was closed so long ago that it is forgotten"
    return Rejected(Reason.TOO_LATE, detail)


def settled_decisions(
    step: Step, session: SessionId, before: Account | None, settled: Settled
) -> Gone:
    """Return those of an account's decisions that waited before and do no more."""
    if before is None or before.waiting is None:
        return NOBODY
    waiting = settled.account.waiting or ()
    why = {each.decision.offset: refused(session[1], each.why) for each in settled.refused}
    return _gone(step, session, (each for each in before.waiting if each not in waiting), why)


def forget_waiting(step: Step, session: SessionId, account: Account) -> None:
    """Make dead letters of the decisions that wait for a session that is forgotten now."""
    waiting = account.waiting or ()
    why = dict.fromkeys((each.offset for each in waiting), forgotten(session[1]))
    _gone(step, session, waiting, why).post(step)


def _gone(
    step: Step, session: SessionId, decisions: Iterable[Decision], why: Mapping[int, Rejected]
) -> Gone:
    gone = Gone([], [])
    for decision in decisions:
        key = waiting_key(*session, decision.offset)
        gone.keys.append(key)
        if rejected := why.get(decision.offset):
            row = step.get(key)
            assert row is not None, "written when it began to wait"
            kept = decode_waiting(row)
            record = FirstArrival(
                kept.key,
                kept.value,
                decision.ingest_us // 1_000,
                decision.partition,
                decision.offset,
                kept.headers,
            )
            gone.letters.append((record, rejected, kept.topic))
    return gone
