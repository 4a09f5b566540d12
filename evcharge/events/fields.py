"""Kinds of value that several events share, as types that validate and describe themselves.

Strict everywhere: a number is a JSON number, never a text or a boolean. Wherever a field is optional,
null means absent: many serialisers write it so.
"""

from typing import Annotated

from pydantic import ConfigDict, Field

STRICT = ConfigDict(strict=True, use_attribute_docstrings=True)
"""Configuration of every model of a topic: unknown fields are ignored, which is pydantic's default."""

MAX_CONNECTOR = 1000
"""Bounds the state that one station can fill."""

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:*~+@-]{1,64}$", examples=["EV-001"])]

Timestamp = Annotated[
    str,
    Field(
        max_length=64,
        json_schema_extra={"format": "date-time"},
        examples=["2023-05-01T10:15:30Z", "2023-05-01T12:15:30.250+02:00"],
    ),
]
"""RFC 3339 with an offset (`evcharge.domain.quantities.parse_timestamp`)."""

Text = Annotated[str, Field(max_length=256)]

Connector = Annotated[int, Field(ge=1, le=MAX_CONNECTOR)]
"""A plug."""

ConnectorOrStation = Annotated[int, Field(ge=0, le=MAX_CONNECTOR)]
"""A plug, or 0 for the whole station."""

Sequence = Annotated[int, Field(ge=0, le=2**63 - 1)]

EnergyKwh = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
"""Nothing that a meter can show is below 0; 1 TWh fits the integers inside."""

# Negative where a car feeds the grid: such an update's energy must not be lost over its sign.
PowerKw = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False)]
CurrentA = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False)]

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]

DurationS = Annotated[float, Field(ge=0, le=1e10, allow_inf_nan=False)]
"""Up to three centuries: the rules hold what is too long, where someone can look at it."""
