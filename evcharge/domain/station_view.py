"""All that is known of a station and its plugs: the contract's **Station** before it is written."""

from __future__ import annotations

from dataclasses import dataclass

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
