"""The event of the topic `stations`: one version of a station's entry in the register."""

from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, model_validator

from evcharge.domain.quantities import KW, exact_units
from evcharge.domain.station_register import RegisteredConnector, RegisteredStation
from evcharge.events.fields import STRICT, Connector, Id, Text
from evcharge.events.objects import FieldError, validated
from evcharge.events.rejection import RefusedError, Rejected


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("should be an IANA time zone such as Europe/Paris") from None
    return name


Zone = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]


class StationConnector(BaseModel, frozen=True):
    """One plug of a station."""

    model_config = STRICT

    connector_id: Connector
    evse_id: Id | None = None
    """Connectors with the same EVSE exclude each other. Absent: an EVSE of its own."""
    standard: Text | None = None
    """OCPI `ConnectorType`, such as `IEC_62196_T2_COMBO`; other text is kept as it is."""
    max_power_kw: Annotated[float, Field(ge=1e-6, le=1e5, allow_inf_nan=False)] | None = None
    """Rated power, at least a milliwatt."""


class Station(BaseModel, frozen=True):
    """Where a station is, what it has and what it costs. Only its id is required."""

    model_config = STRICT

    station_id: Id
    name: Text | None = None
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    """WGS 84 degrees, north positive."""
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    """WGS 84 degrees, east positive."""
    time_zone: Zone | None = None
    """IANA name. Absent: `EVCHARGE_DEFAULT_TIME_ZONE`."""
    site_id: Id | None = None
    tariff_id: Id | None = None
    """Absent: the default tariff."""
    connectors: Annotated[tuple[StationConnector, ...], Field(max_length=1000)] | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            absent = "latitude" if self.latitude is None else "longitude"
            raise FieldError(absent, "should be given: latitude and longitude go together")
        numbers = [connector.connector_id for connector in self.connectors or ()]
        if len(set(numbers)) < len(numbers):
            raise FieldError("connectors", "should each have a connector_id of their own")
        return self

    def registered(self) -> RegisteredStation:
        """Return the entry as the rules and views know it."""
        return RegisteredStation(
            station_id=self.station_id,
            name=self.name,
            latitude=self.latitude,
            longitude=self.longitude,
            time_zone=self.time_zone,
            site_id=self.site_id,
            tariff_id=self.tariff_id,
            connectors=tuple(
                RegisteredConnector(
                    connector.connector_id,
                    connector.evse_id,
                    connector.standard,
                    _milliwatts(connector.max_power_kw),
                )
                for connector in self.connectors or ()
            ),
        )


def _milliwatts(power_kw: float | None) -> int | None:
    # repr is the shortest decimal that parses to the float: the text received, up to 15 digits.
    return None if power_kw is None else exact_units(repr(power_kw), KW)


def parse_station(value: bytes) -> Station | Rejected:
    """Return the entry that a record of `stations` states, or why it cannot be used. Never raises.

    A record without a value removes its station; that is for the caller to see.
    """
    try:
        return validated(value, Station)
    except RefusedError as refused:
        return refused.rejected


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of an entry."""
    return Station.model_json_schema()
