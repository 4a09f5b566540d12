"""The request `POST /v1/sessions/{session_id}/decisions`: what a person decides about a session."""

from hashlib import blake2b
from typing import Literal, Self

from pydantic import BaseModel, model_validator

from evcharge.domain.billing.decision import Corrections
from evcharge.events.exact_numbers import validated_exactly
from evcharge.events.fields import STRICT, DecisionName, KeptText, PlainActor, PlainId, PlainUser
from evcharge.events.rejection import RefusedError, Rejected
from evcharge.events.session_decisions import (
    Energy,
    Instant,
    Revision,
    check_corrections,
    corrections_of,
)


class DecisionRequest(BaseModel, frozen=True):
    """A decision, about the session as its author saw it."""

    model_config = STRICT

    station_id: PlainId
    """Whose session it is."""
    decision: Literal["approve", "correct", "void"]
    """`approve`: bill what the records say; `correct`: bill the given values in place of the records';
    `void`: bill nothing."""
    actor: PlainActor
    """Who decides: an opaque pseudonym."""
    revision: Revision
    """The session's `revision` as its author saw it; if it has another one by now, the answer is 409."""
    started_at: Instant | None = None
    """Of `correct`: counts instead of the records'. At least one of these four is given."""
    ended_at: Instant | None = None
    energy_kwh: Energy | None = None
    user_id: PlainUser | None = None
    reason: KeptText | None = None
    """Why, in its author's words."""
    decision_id: DecisionName | None = None
    """Names the decision, so that it counts once however often it is sent. Absent: a name is made of
    everything else, so that the same request sent again is the same decision."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        check_corrections(self)
        return self

    @property
    def corrections(self) -> Corrections | None:
        """The values of `correct`."""
        return corrections_of(self)


def parse_decision_request(value: bytes) -> DecisionRequest | Rejected:
    """Return what a request says, or why it cannot be used. Never raises."""
    try:
        return validated_exactly(value, DecisionRequest)
    except RefusedError as refused:
        return refused.rejected


def named(said: DecisionRequest, session_id: str) -> DecisionRequest:
    """Return a request with a `decision_id`: 32 hexadecimal digits of all else, if it has none."""
    if said.decision_id is not None:
        return said
    subject = f"{session_id}\0{said.model_dump_json(exclude_none=True)}".encode()
    return said.model_copy(update={"decision_id": blake2b(subject, digest_size=16).hexdigest()})
