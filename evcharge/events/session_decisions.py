"""The record of the topic `session-decisions`: what a person or a re-rating decided about a session."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Protocol, Self

import msgspec
from pydantic import AfterValidator, BaseModel, WithJsonSchema, model_validator

from evcharge.domain.billing.decision import Corrections, Decision, Verdict
from evcharge.domain.quantities import (
    KWH,
    MAX_INSTANT_US,
    exact_units,
    format_timestamp,
    kwh,
    parse_timestamp,
)
from evcharge.events.exact_numbers import (
    MAX_NUMBER,
    Amount,
    Count,
    exact_schema,
    validated_exactly,
)
from evcharge.events.fields import (
    MAX_KWH,
    STRICT,
    DecisionName,
    KeptText,
    PlainActor,
    PlainId,
    PlainSession,
    PlainTimestamp,
    PlainUser,
)
from evcharge.events.instants import impossible_arrival
from evcharge.events.objects import FieldError
from evcharge.events.received import Received
from evcharge.events.rejection import Reason, RefusedError, Rejected, reject
from evcharge.events.tariffs import TariffObject, too_large

VERSION = 1

MAX_BYTES = 512 << 10
"""Of a record with its key and headers: a re-rating brings its whole tariff.

Eight of them can wait in their session's row, which then fills half of a record of the changelog."""


def _instant(text: str) -> str:
    parse_timestamp(text)
    return text


def at_least_one(value: Decimal) -> Decimal:
    """Check a number of records (pydantic's way: returns it).

    Raises:
        ValueError: it is none.
    """
    if not 1 <= value < 2**53:
        raise ValueError("should be at least 1")
    return value


def _energy(value: Decimal) -> Decimal:
    if value > MAX_KWH:
        raise ValueError(f"should be at most {int(MAX_KWH):,}")
    return value


Instant = Annotated[PlainTimestamp, AfterValidator(_instant)]
# The schemas say what the validators behind the kinds of number leave.
Energy = Annotated[
    Amount, AfterValidator(_energy), WithJsonSchema(exact_schema("number", 0, MAX_KWH))
]
Revision = Annotated[
    Count, AfterValidator(at_least_one), WithJsonSchema(exact_schema("integer", 1, MAX_NUMBER))
]

_VALUES = ("started_at", "ended_at", "energy_kwh", "user_id")


class Said(Protocol):
    """What a decision says of the session's facts."""

    @property
    def decision(self) -> str: ...
    @property
    def started_at(self) -> str | None: ...
    @property
    def ended_at(self) -> str | None: ...
    @property
    def energy_kwh(self) -> Decimal | None: ...
    @property
    def user_id(self) -> str | None: ...


def check_corrections(said: Said) -> None:
    """Check that `correct` corrects something, and nothing else does.

    Raises:
        FieldError: it does not.
    """
    given = [name for name in _VALUES if getattr(said, name) is not None]
    if said.decision == "correct" and not given:
        raise FieldError("decision", f"should give at least one of {', '.join(_VALUES)}")
    if said.decision != "correct" and given:
        raise FieldError(given[0], "should only be given to correct")
    if (
        said.started_at is not None
        and said.ended_at is not None
        and parse_timestamp(said.ended_at) < parse_timestamp(said.started_at)
    ):
        raise FieldError("ended_at", "should not be before started_at")


def corrections_of(said: Said) -> Corrections | None:
    """Return the values of `correct`, None of any other decision."""
    if said.decision != "correct":
        return None
    return Corrections(
        None if said.started_at is None else parse_timestamp(said.started_at),
        None if said.ended_at is None else parse_timestamp(said.ended_at),
        None if said.energy_kwh is None else exact_units(str(said.energy_kwh), KWH),
        said.user_id,
    )


class SessionDecision(BaseModel, frozen=True):
    """One decision. It is about what its author saw, whatever the session has become since.

    A record has at most 524,288 bytes with its key and headers.
    """

    model_config = STRICT

    decision_id: DecisionName
    """A repetition under the same id changes nothing."""
    station_id: PlainId
    """The key of the record, too."""
    session_id: PlainSession
    """One of the station's sessions."""
    decision: Literal["approve", "correct", "void", "rerate"]
    """`approve`: bill what the records say; `correct`: bill the given values in place of the records';
    `void`: bill nothing; `rerate`: bill the same under `tariff`."""
    actor: PlainActor
    """Who decided: an opaque pseudonym, or the command."""
    decided_at: Instant
    """When, by the clock of who wrote it; what counts is when the record was appended."""
    revision: Revision
    """How many different records of the session its author saw: it is about the first ones so many."""
    decisions: Count | None = None
    """How many decisions about the session its author knew of; another number makes this one void.
    Absent: it holds whatever was decided before."""
    started_at: Instant | None = None
    """Of `correct`: counts instead of the records'. At least one of these four is given."""
    ended_at: Instant | None = None
    """Of `correct`, as `started_at`."""
    energy_kwh: Energy | None = None
    """Of `correct`, as `started_at`."""
    user_id: PlainUser | None = None
    """Of `correct`, as `started_at`."""
    reason: KeptText | None = None
    """Why, in its author's words."""
    tariff: TariffObject | None = None
    """Of `rerate`, and required by it: an OCPI 2.2.1 Tariff."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        check_corrections(self)
        if (self.decision == "rerate") != (self.tariff is not None):
            raise FieldError("tariff", "should be given to rerate, and to nothing else")
        return self


class Written(Received, Protocol):
    """A record with all of what is kept of it while its decision waits."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Decided(NamedTuple):
    """A decision with the session that it is about."""

    station_id: str
    session_id: str
    decision: Decision

    @property
    def partition(self) -> int:
        """Of its record."""
        return self.decision.partition

    @property
    def offset(self) -> int:
        """Of its record."""
        return self.decision.offset


class _Members(msgspec.Struct):
    """What of a record is kept as it was written."""

    tariff: msgspec.Raw = msgspec.Raw()


_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(_Members).decode


def decode_session_decisions(records: Sequence[Written]) -> list[Decided | Rejected]:
    """Decode records of `session-decisions`: one result for each, at its index. Never raises."""
    return [_decoded(record) for record in records]


def _decoded(record: Written) -> Decided | Rejected:
    value = record.value
    if value is None:
        return reject(Reason.NO_VALUE, "The record has no value.")
    size = len(record.key or b"") + len(value)
    size += sum(len(name.encode()) + len(content or b"") for name, content in record.headers)
    if size > MAX_BYTES:
        detail = f"The record has {size:,} bytes, more than {MAX_BYTES:,}."
        return reject(Reason.TOO_LARGE, detail)
    ingest_us = record.timestamp * 1_000
    if not 0 <= ingest_us <= MAX_INSTANT_US:
        return impossible_arrival(ingest_us)
    said = parse_session_decision(value)
    if isinstance(said, Rejected):
        return said
    document = None if said.tariff is None else bytes(_members(value).tariff)
    if document is not None and (refused := too_large(document)) is not None:
        return refused
    decision = Decision(
        said.decision_id,
        Verdict(said.decision),
        said.actor,
        int(said.revision),
        None if said.decisions is None else int(said.decisions),
        record.partition,
        record.offset,
        ingest_us,
        corrections_of(said),
        None if document is None else document.decode(),
    )
    return Decided(said.station_id, said.session_id, decision)


def parse_session_decision(value: bytes) -> SessionDecision | Rejected:
    """Return what a record says, or why it cannot be used. Never raises."""
    try:
        return validated_exactly(value, SessionDecision)
    except RefusedError as refused:
        return refused.rejected


def encode_session_decision(
    decided: Decided, decided_us: int, *, reason: str | None = None
) -> bytes:
    """Write the record of a decision; its place and ingest time are Kafka's."""
    station_id, session_id, made = decided
    started_us, ended_us, energy_uwh, user_id = made.corrections or Corrections()
    members = {
        "decision_id": made.decision_id,
        "station_id": station_id,
        "session_id": session_id,
        "decision": made.verdict.value,
        "actor": made.actor,
        "decided_at": format_timestamp(decided_us),
        "revision": made.revision,
        "decisions": made.decisions,
        "started_at": None if started_us is None else format_timestamp(started_us),
        "ended_at": None if ended_us is None else format_timestamp(ended_us),
        "energy_kwh": None if energy_uwh is None else kwh(energy_uwh),
        "user_id": user_id,
        "reason": reason,
        "tariff": None if made.document is None else msgspec.Raw(made.document.encode()),
    }
    given = {name: member for name, member in members.items() if member is not None}
    return _encode({"v": VERSION} | given)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the record."""
    schema = SessionDecision.model_json_schema()
    version = {"const": VERSION, "type": "integer", "description": "Of this schema."}
    schema["properties"] = {"v": version, **schema["properties"]}
    schema["required"] = ["v", *schema["required"]]
    return schema
