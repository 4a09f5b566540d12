"""A station as the outside sees it: the **Station** of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from evcharge.domain.quantities import format_timestamp, kw
from evcharge.domain.status_report import Status


@dataclass(frozen=True, slots=True)
class ConnectorView:
    """One plug of a station; absent facts are ``None``."""

    connector_id: int
    evse_id: str | None
    status: Status
    since_us: int | None
    """When this status began in event time; of an unknown one, when the plug was last heard."""
    age_s: int | None
    """Seconds since the last sign of life."""
    error_code: str | None
    standard: str | None
    max_power_mw: int | None
    session_id: str | None
    """The session that runs on it."""

    def to_json(self) -> dict[str, Any]:
        """The members of the contract, in its order; a Decimal is a JSON number, digit by digit."""
        return {
            "connector_id": self.connector_id,
            "evse_id": self.evse_id,
            "status": self.status.value,
            "since": None if self.since_us is None else format_timestamp(self.since_us),
            "age_s": self.age_s,
            "error_code": self.error_code,
            "standard": self.standard,
            "max_power_kw": None if self.max_power_mw is None else Decimal(kw(self.max_power_mw)),
            "session_id": self.session_id,
        }


@dataclass(frozen=True, slots=True)
class StationView:
    """A station with all of its plugs; absent facts are ``None``."""

    station_id: str
    name: str | None
    latitude: float | None
    longitude: float | None
    time_zone: str | None
    site_id: str | None
    tariff_id: str | None
    status: Status
    free: int
    """EVSEs that have a free plug."""
    evses: int
    connectors: tuple[ConnectorView, ...]
    updated_us: int | None
    """Ingest time of the last sign of life of any plug, session or the station itself."""

    def to_json(self) -> dict[str, Any]:
        """The members of the contract, in its order."""
        return {
            "station_id": self.station_id,
            "name": self.name,
            "latitude": self.latitude,
            "longitude": self.longitude,
            "time_zone": self.time_zone,
            "site_id": self.site_id,
            "tariff_id": self.tariff_id,
            "status": self.status.value,
            "free": self.free,
            "evses": self.evses,
            "connectors": [connector.to_json() for connector in self.connectors],
            "updated_at": None if self.updated_us is None else format_timestamp(self.updated_us),
        }
