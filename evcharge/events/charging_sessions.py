"""The events of the topic `charging-sessions`: start, update, end, and a closed session in one."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from evcharge.events.fields import (
    STRICT,
    Connector,
    CurrentA,
    DurationS,
    EnergyKwh,
    Id,
    KeptText,
    Percent,
    PowerKw,
    Sequence,
    Timestamp,
)
from evcharge.events.rejection import Reason, RefusedError, reject, shown


class _OfSession(TypedDict):
    # Pydantic finds docstrings of a class's own fields only; these are inherited.
    station_id: Id
    session_id: Annotated[
        Id, Field(description="Unique at its station; device counters collide across stations.")
    ]
    connector_id: NotRequired[
        Annotated[
            Connector | None,
            Field(description="The session's is its first record's that names one, otherwise 1."),
        ]
    ]
    user_id: NotRequired[
        Annotated[
            Id | None,
            # Where drivers plug in first and identify themselves then, an update names them.
            Field(description="An opaque pseudonym, never a name."),
        ]
    ]
    seq: NotRequired[
        Annotated[
            Sequence | None,
            Field(description="Counts the session's records; orders those of equal time."),
        ]
    ]
    event_id: NotRequired[
        Annotated[
            Id | None,
            Field(
                description="The device's own name of the message. It says nothing of the session:"
                " records that differ in it alone count once."
            ),
        ]
    ]


@with_config(STRICT)
class SessionStart(_OfSession):
    """A car was plugged in."""

    event: Literal["session_start"]
    timestamp: Timestamp
    reservation_id: NotRequired[Id | None]
    """The booking that this session uses."""
    meter_kwh: NotRequired[EnergyKwh | None]
    """The meter's register."""


@with_config(STRICT)
class SessionUpdate(_OfSession):
    """A reading during a session; one without any energy changes none."""

    event: Literal["session_update"]
    timestamp: Timestamp
    energy_kwh: NotRequired[EnergyKwh | None]
    """Energy of this session so far."""
    meter_kwh: NotRequired[EnergyKwh | None]
    """The meter's register."""
    power_kw: NotRequired[PowerKw | None]
    """Negative where the car feeds the grid."""
    current_a: NotRequired[CurrentA | None]
    soc_percent: NotRequired[Percent | None]
    """State of charge of the car's battery."""
    charging: NotRequired[bool | None]
    """False: plugged in but not asking for power, which a tariff calls parking time."""


@with_config(STRICT)
class SessionEnd(_OfSession):
    """The car was unplugged."""

    event: Literal["session_end"]
    timestamp: Timestamp
    energy_kwh: NotRequired[EnergyKwh | None]
    """Energy of this session."""
    meter_kwh: NotRequired[EnergyKwh | None]
    """The meter's register. An end with neither energy is held as `no-energy`."""
    start_time: NotRequired[Timestamp | None]
    duration_s: NotRequired[DurationS | None]
    """Seconds; without a start it gives one."""
    duration: NotRequired[DurationS | None]
    """Another name of `duration_s`, which counts if both are there."""
    reason: NotRequired[KeptText | None]
    """An OCPP 1.6 stop reason, or other text."""
    correction: NotRequired[bool | None]
    """True: counts instead of the ends before it."""


@with_config(STRICT)
class ClosedSession(_OfSession):
    """A whole session in one event, recognised by having no `event` (or null)."""

    event: NotRequired[None]
    start_time: Timestamp
    end_time: Timestamp
    """Also the event's timestamp."""
    energy_kwh: EnergyKwh


SessionEvent = Annotated[
    Annotated[SessionStart | SessionUpdate | SessionEnd, Field(discriminator="event")]
    | ClosedSession,
    Field(union_mode="left_to_right"),
]

MODELS: Mapping[str | None, TypeAdapter[Any]] = {
    "session_start": TypeAdapter(SessionStart),
    "session_update": TypeAdapter(SessionUpdate),
    "session_end": TypeAdapter(SessionEnd),
    None: TypeAdapter(ClosedSession),
}
"""The model of each ``event``; ``None`` is a closed session."""

ANY: TypeAdapter[SessionEvent] = TypeAdapter(SessionEvent)
CHUNK: TypeAdapter[list[SessionEvent]] = TypeAdapter(list[SessionEvent])


def model_of(members: Mapping[str, Any]) -> TypeAdapter[Any]:
    """Return the model that an object must follow.

    Raises:
        RefusedError: its ``event`` is none of those that exist.
    """
    event = members.get("event")
    if event is None or (isinstance(event, str) and event in MODELS):
        return MODELS[event]
    known = ", ".join(name for name in MODELS if name)
    detail = (
        f"event should be one of {known} (none for a closed session), but it is {shown(event)}."
    )
    raise RefusedError(reject(Reason.BAD_VALUE, detail))


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of any of the four events."""
    return ANY.json_schema()
