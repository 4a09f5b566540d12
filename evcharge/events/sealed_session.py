"""The record of the topic `sealed-sessions`: a session as it is billed, and what that follows from."""

from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from evcharge.domain.billing.account import Facts
from evcharge.domain.billing.bill import Bill
from evcharge.domain.billing.terms import Terms
from evcharge.domain.quantities import MICRO, decimal_text, kw, kwh, recent_timestamp
from evcharge.domain.session import Lifecycle, SessionState
from evcharge.events.cost import CostObject, cost_bytes
from evcharge.events.fields import (
    STRICT,
    Connector,
    DecimalText,
    DecisionName,
    DurationS,
    PlainActor,
    PlainId,
    PlainSession,
    PlainTimestamp,
    PlainUser,
)
from evcharge.events.invoice import meter_members

VERSION = 1


@with_config(STRICT)
class SealedTerms(TypedDict):
    """What was frozen when the session was sealed first; the tariff is another one after a re-rating."""

    tariff_id: PlainId
    """Of the tariff."""
    tariff_version: int | None
    """Offset in `tariffs`; null: it was never published there (the default tariff, a re-rating)."""
    tariff_digest: str
    """Of the document: the same tariff has the same one."""
    time_zone: str
    """IANA name."""
    max_power_kw: DecimalText | None
    """Rated power of the connector, an exact decimal; null: the register states none."""
    tariff: dict[str, Any]
    """The whole OCPI Tariff object."""


@with_config(STRICT)
class SealingDecision(TypedDict):
    """The decision that led to a bill."""

    decision_id: DecisionName
    """As in `session-decisions`."""
    decision: Literal["approve", "correct", "void", "rerate"]
    """What was decided."""
    actor: PlainActor
    """Who decided: an opaque pseudonym, or the command."""


SealedSegment = tuple[
    Annotated[int, Field(ge=0, le=3, description="TIME, PARKING_TIME, RESERVATION, …_EXPIRED.")],
    Annotated[int, Field(ge=0, description="Microseconds.")],
    Annotated[int, Field(ge=0, description="Micro-watt-hours delivered in it.")],
    Annotated[int | None, Field(description="Power in milliwatts; null: unknown.")],
    Annotated[int | None, Field(description="Current in microamperes; null: unknown.")],
]
"""Kind, duration, energy, power, current; the first begins at `started_at`, each where one ended."""

Offset = Annotated[int, Field(ge=0)]


@with_config(STRICT)
class SealedSession(TypedDict):
    """A session as it is billed. Written once for each bill; of a session's records the last counts.

    If billing was switched off when the session first was completed, this is its only one, bill 1, and
    tells what was used alone.
    """

    v: Literal[1]
    """Of this schema."""
    session_id: PlainSession
    """One of the station's sessions."""
    station_id: PlainId
    """The key of the record, too."""
    bill: Annotated[int, Field(ge=1)]
    """Counts the session's bills: more than one where a decision or a later record led to another."""
    state: Literal["completed", "void"]
    """Void: nothing is billed any more; everything else is as in the record before."""
    connector_id: Connector
    user_id: PlainUser | None
    """Who pays, an opaque pseudonym; null: nobody is named, and there is no invoice."""
    started_at: PlainTimestamp
    """Device time, as a person may have corrected it; so are the end, the energy and the user."""
    ended_at: PlainTimestamp
    """Device time."""
    duration_s: DurationS
    """Seconds, with as many decimals as the device's timestamps."""
    energy_kwh: DecimalText
    """Kilowatt-hours, an exact decimal."""
    meter_start_kwh: DecimalText | None
    """The meter's register at the start, an exact decimal; null unless the registers account for the
    energy exactly."""
    meter_end_kwh: DecimalText | None
    """The meter's register at the end."""
    completed_at: PlainTimestamp
    """Ingest time of the record that completed the session (its end, or what had been missing), or of
    the decision that led to this bill."""
    revision: int
    """How many different records of the session this bill is of: the first ones to arrive."""
    segments: list[SealedSegment] | None
    """What was priced; null: billing was switched off."""
    terms: SealedTerms | None
    """Under which it was priced; null: billing was switched off."""
    cost: CostObject | None
    """What its segments cost under these terms; null: billing was switched off. Of a void record it is
    that of the record before, and nobody pays it."""
    evidence: (
        dict[Literal["charging-sessions", "session-decisions"], list[tuple[Offset, Offset]]] | None
    )
    """Partition and offset of each record that this follows from, in the order of arrival; null: billing
    was switched off."""
    decision: SealingDecision | None
    """Null: the records alone led to this bill."""


MODEL: TypeAdapter[SealedSession] = TypeAdapter(SealedSession)

_encode = msgspec.json.Encoder().encode


def encode_bill(bill: Bill, cost: bytes | None = None) -> bytes:
    """Write the record of a bill; equal bills give equal bytes.

    ``cost`` is what ``evcharge.events.cost.cost_bytes`` returned, if it is at hand.
    """
    decision, decided = b"null", b""
    if made := bill.decision:
        decision = _encode(
            {"decision_id": made.decision_id, "decision": made.verdict, "actor": made.actor}
        )
        decided = b',"session-decisions":[[%d,%d]]' % (made.partition, made.offset)
    standing = Lifecycle.VOID if bill.is_void else Lifecycle.COMPLETED
    ids = bill.station_id, bill.session_id
    return b'%b%b,"terms":%b%b},"cost":%b,"evidence":{"charging-sessions":%b%b},"decision":%b}' % (
        head(*ids, bill.number, standing, bill.state, bill.facts, bill.billed_us),
        _encode(bill.segments),
        _terms(bill.terms),
        bill.tariff.document,
        cost_bytes(bill.cost) if cost is None else cost,
        _encode(bill.evidence),
        decided,
        decision,
    )


def head(
    station_id: str,
    session_id: str,
    number: int,
    standing: Lifecycle,
    state: SessionState,
    facts: Facts,
    completed_us: int,
) -> bytes:
    """Write what every record begins with, priced or not, up to the value of `segments`."""
    assert facts.started_us is not None, "billable"
    assert facts.ended_us is not None, "billable"
    assert facts.energy_uwh is not None, "billable"
    user = "null" if facts.user_id is None else f'"{facts.user_id}"'
    # Ids, decimals and timestamps have no character that JSON would escape. One text costs a third of
    # what a dict of the same does.
    return (
        f'{{"v":{VERSION},"session_id":"{session_id}","station_id":"{station_id}",'
        f'"bill":{number},"state":"{standing}","connector_id":{state.connector_id},'
        f'"user_id":{user},"started_at":"{recent_timestamp(facts.started_us)}",'
        f'"ended_at":"{recent_timestamp(facts.ended_us)}",'
        f'"duration_s":{decimal_text(facts.ended_us - facts.started_us, MICRO)},'
        f'"energy_kwh":"{kwh(facts.energy_uwh)}",{meter_members(state, facts.energy_uwh)},'
        f'"completed_at":"{recent_timestamp(completed_us)}","revision":{state.revision},"segments":'
    ).encode()


@lru_cache(maxsize=1024)  # nearly all sessions have one of a few terms
def _terms(terms: Terms) -> bytes:
    """Return the member `terms` up to its tariff."""
    named = {
        "tariff_id": terms.tariff_id,
        "tariff_version": terms.tariff_version,
        "tariff_digest": terms.tariff_digest,
        "time_zone": terms.time_zone,
        "max_power_kw": None if terms.max_power_mw is None else kw(terms.max_power_mw),
    }
    return _encode(named)[:-1] + b',"tariff":'


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the record."""
    return MODEL.json_schema()
