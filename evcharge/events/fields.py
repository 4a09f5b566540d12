"""Kinds of value that several events share, as types that validate and describe themselves.

Strict everywhere: a number is a JSON number, never a text or a boolean. Wherever a field is optional,
null means absent: many serialisers write it so. Each type's description states its limits.

A type has its limits twice, side by side: in ``Field`` for the models, whose word is the last, and in
``Meta`` for :mod:`evcharge.events.quick`, which reads most events before them.
"""

from typing import Annotated

from msgspec import Meta
from pydantic import ConfigDict, Field

from evcharge.domain.identifiers import ID_PATTERN, ID_WORDS

STRICT = ConfigDict(strict=True, use_attribute_docstrings=True)
"""Configuration of every model of a topic: unknown fields are ignored, which is pydantic's default."""

MAX_CONNECTOR = 1000
"""Bounds the state that one station can fill."""

MAX_KWH = 1e9
"""1 TWh: no meter shows as much, and it fits the integers inside."""

MAX_TIMESTAMP = 64
"""Characters; no useful timestamp has half as many."""

MAX_KEPT_TEXT = 200
"""Characters. The row of a station with a thousand connectors stays below 900 KB with it, whatever
the text is written in, so that it fits one record of the changelog."""

Id = Annotated[
    str,
    Field(pattern=f"^{ID_PATTERN}$", description=ID_WORDS, examples=["EV-001"]),
    Meta(min_length=1, max_length=64),
]

Timestamp = Annotated[
    str,
    Field(
        max_length=MAX_TIMESTAMP,
        description=f"RFC 3339 with an offset, at most {MAX_TIMESTAMP} characters; at most 24 h ahead"
        " of the record's append time.",
        json_schema_extra={"format": "date-time"},
        examples=["2023-05-01T10:15:30Z", "2023-05-01T12:15:30.250+02:00"],
    ),
    Meta(max_length=MAX_TIMESTAMP),
]
"""Read by `evcharge.domain.quantities.parse_timestamp`."""

PlainId = Annotated[
    str,
    Field(pattern=f"^{ID_PATTERN}$", examples=["EV-001"]),
    Meta(min_length=1, max_length=64),
]
"""An id without words of its own: the field's docstring tells whose it is."""

PlainUser = Annotated[PlainId, Field(examples=["U67890"])]
PlainActor = Annotated[PlainId, Field(examples=["reviewer-7"])]
PlainSession = Annotated[PlainId, Field(examples=["S12345"])]
DecisionName = Annotated[PlainId, Field(examples=["D-2026-000017"])]

PlainTimestamp = Annotated[
    str,
    Field(
        max_length=MAX_TIMESTAMP,
        json_schema_extra={"format": "date-time"},
        examples=["2023-05-01T10:15:30Z"],
    ),
    Meta(max_length=MAX_TIMESTAMP),
]
"""An instant in RFC 3339 without words of its own; what evcharge writes is in UTC with `Z`."""

DecimalText = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["5.25"])]
"""An exact decimal."""

Text = Annotated[str, Field(max_length=256, description="At most 256 characters.")]

KeptText = Annotated[
    str,
    Field(
        description=f"Text of any length, of which the first {MAX_KEPT_TEXT} characters are kept."
    ),
]
"""For what a device says in its own words: its length is no reason to lose the event (:func:`kept`)."""

Connector = Annotated[
    int,
    Field(ge=1, le=MAX_CONNECTOR, description=f"A plug, from 1 to {MAX_CONNECTOR}."),
    Meta(ge=1, le=MAX_CONNECTOR),
]

ConnectorOrStation = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_CONNECTOR,
        description=f"A plug, from 1 to {MAX_CONNECTOR}, or 0 for the whole station.",
    ),
    Meta(ge=0, le=MAX_CONNECTOR),
]

Sequence = Annotated[
    int,
    Field(ge=-(2**63), le=2**63 - 1, description="Any integer of 64 bits, with a sign."),
    Meta(ge=-(2**63), le=2**63 - 1),
]

EnergyKwh = Annotated[
    float,
    Field(
        ge=0,
        le=MAX_KWH,
        allow_inf_nan=False,
        # Nothing that a meter can show is below 0.
        description="Kilowatt-hours, from 0 to 1,000,000,000.",
    ),
    Meta(ge=0, le=MAX_KWH),
]

# Negative where a car feeds the grid: such an update's energy must not be lost over its sign.
PowerKw = Annotated[
    float,
    Field(
        ge=-1e5,
        le=1e5,
        allow_inf_nan=False,
        description="Kilowatts, from -100,000 to 100,000.",
    ),
    Meta(ge=-1e5, le=1e5),
]
CurrentA = Annotated[
    float,
    Field(
        ge=-1e5,
        le=1e5,
        allow_inf_nan=False,
        description="Amperes, from -100,000 to 100,000.",
    ),
    Meta(ge=-1e5, le=1e5),
]

Percent = Annotated[
    float,
    Field(ge=0, le=100, allow_inf_nan=False, description="Percent, from 0 to 100."),
    Meta(ge=0, le=100),
]

# Three centuries: the rules hold what is too long, where someone can look at it.
DurationS = Annotated[
    float,
    Field(
        ge=0,
        le=1e10,
        allow_inf_nan=False,
        description="Seconds, from 0 to 10,000,000,000.",
    ),
    Meta(ge=0, le=1e10),
]


def kept(text: str | None) -> str | None:
    """Return what is kept of a `KeptText`."""
    return text if text is None else text[:MAX_KEPT_TEXT]
