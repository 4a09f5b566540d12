"""What the answers look like, for the OpenAPI document; the tests hold every answer against these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from evcharge.domain.status_report import Status

Timestamp = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$",
        description="RFC 3339 in UTC",
        examples=["2023-05-01T10:15:30Z"],
    ),
]
StationId = Annotated[str, Field(examples=["EV-001"])]


class Answer(BaseModel):
    """Fields are added over time: a client ignores those that it does not know."""

    # Forbidden here, so that a test notices what is not documented; open for clients.
    model_config = ConfigDict(extra="forbid", json_schema_extra={"additionalProperties": True})


Stale = Annotated[
    bool,
    Field(
        description="true if read from a standby copy, so of a moment ago, because the worker in"
        " charge did not answer; absent otherwise"
    ),
]


class Connector(Answer):
    """One plug. Absent facts are null."""

    connector_id: int = Field(ge=1)
    evse_id: str | None = Field(description="plugs with the same EVSE exclude each other")
    status: Status = Field(
        description="`blocked`: its EVSE is taken through another plug;"
        " `unknown`: silent for longer than EVCHARGE_STATUS_SILENCE_S, or never heard"
    )
    since: Timestamp | None = Field(
        description="when this status began; of an unknown one, when the plug was last heard"
    )
    age_s: int | None = Field(description="seconds since the last sign of life")
    error_code: str | None
    standard: str | None
    max_power_kw: float | None
    session_id: str | None = Field(description="the session that runs on it")


class Station(Answer):
    """A post on the street with its plugs. Absent facts are null."""

    station_id: StationId
    name: str | None
    latitude: float | None = Field(description="WGS 84 degrees")
    longitude: float | None = Field(description="WGS 84 degrees")
    time_zone: str | None
    site_id: str | None
    tariff_id: str | None
    status: Literal["free", "reserved", "occupied", "unavailable", "faulted", "unknown"] = Field(
        description="the first of these, in this order, that any plug has"
    )
    free: int = Field(description="how many EVSEs are free")
    evses: int
    connectors: list[Connector]
    updated_at: Timestamp | None = Field(description="ingest time of the last sign of life")
    stale: Stale = False


class Stations(Answer):
    """A page of stations, sorted by id."""

    stations: list[Station]
    next: str | None = Field(description="the `cursor` of the next page")
    partial: bool = Field(description="stations may be missing: a partition did not answer")
    stale: Stale = False


Decimal = Annotated[
    str,
    Field(pattern=r"^-?\d+(\.\d+)?$", description="an exact decimal", examples=["22.5"]),
]


class CostLine(Answer):
    """What one price comes to; amounts of lines are not rounded to the minor unit."""

    dimension: Literal[
        "FLAT", "ENERGY", "TIME", "PARKING_TIME", "RESERVATION", "MIN_PRICE", "MAX_PRICE"
    ]
    quantity: Decimal = Field(description="billed, after steps")
    unit: Literal["kWh", "h", "session"]
    price: Decimal = Field(description="for each unit, without VAT")
    vat_percent: Decimal | None = Field(description="null: an adjustment of the VAT alone")
    excl_vat: Decimal
    incl_vat: Decimal


class VatRow(Answer):
    """The VAT of one rate."""

    percent: Decimal | None
    base: Decimal = Field(description="without VAT")
    amount: Decimal


class Cost(Answer):
    """What a session costs: exact lines, and their sums rounded half up to the minor unit."""

    currency: str = Field(description="ISO 4217", examples=["EUR"])
    excl_vat: Decimal
    incl_vat: Decimal
    vat: list[VatRow] = Field(description="by rate, the lowest first")
    tariff_id: str
    tariff_version: Decimal | None = Field(
        description="offset in `tariffs`; null: the tariff was never published"
    )
    as_of: Timestamp = Field(description="up to when the session was priced")
    lines: list[CostLine]


class Session(Answer):
    """One car plugged in on one plug, from plug-in to unplug. Absent facts are null."""

    session_id: Annotated[str, Field(examples=["S12345"])]
    station_id: StationId
    connector_id: int
    user_id: str | None = Field(description="an opaque pseudonym")
    state: Literal["active", "completed", "held", "void"] = Field(
        description="`held`: cannot be trusted, waits for a decision; see held_reasons"
    )
    started_at: Timestamp | None
    ended_at: Timestamp | None
    duration_s: float | None = Field(description="seconds from start to end")
    energy_kwh: float | None = Field(
        description="exactly the decimal value received, or that of a person's correction"
    )
    power_kw: float | None = Field(description="the last power reported")
    cost: Cost | None = Field(
        description="of a sealed session what was sealed, of any other what it would be if it ended with"
        " its last record; null: void, not known where it starts or how much energy it took, too long"
        " for its tariff, or its tariff is not known; or billing is switched off, or was when it was"
        " completed"
    )
    held_reasons: list[str]
    revision: int = Field(
        description="how many different records of the session are known and decisions about it"
        " accepted; a decision names the one that it is about. One more record than"
        " EVCHARGE_MAX_SESSION_READINGS stands for any number beyond it"
    )
    updated_at: Timestamp = Field(description="ingest time of the last record")
    stale: Stale = False


class Sessions(Answer):
    """A page of a station's sessions: active first, then those that started last.

    It is shorter than asked for where pricing them would take too long.
    """

    sessions: list[Session]
    next: str | None = Field(description="the `cursor` of the next page")
    stale: Stale = False


class HeldSessions(Answer):
    """A page of the sessions to review, sorted by station and session."""

    sessions: list[Session]
    next: str | None = Field(description="the `cursor` of the next page")
    partial: bool = Field(description="sessions may be missing: a partition did not answer")
    stale: Stale = False


class Alive(Answer):
    """The process answers."""

    status: Literal["alive"]


class Ready(Answer):
    """The worker is in the group with its tables recovered."""

    status: Literal["ready"]
    partitions: list[int] = Field(description="the partitions it owns")


class Problem(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str = Field(description="one sentence for a person")
    parameter: str | None = Field(default=None, description="of a 400: which one")
    stations: list[str] | None = Field(default=None, description="of a 409: which have the session")
    revision: int | None = Field(
        default=None, description="of a 409 to a decision: the session's revision now"
    )
