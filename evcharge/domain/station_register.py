"""What the operator's register says about one station."""

from __future__ import annotations

from typing import NamedTuple


class RegisteredConnector(NamedTuple):
    """One plug as the register states it; absent facts are ``None``."""

    connector_id: int
    """From 1."""
    evse_id: str | None = None
    """Connectors with the same EVSE exclude each other; ``None``: an EVSE of its own."""
    standard: str | None = None
    """OCPI ``ConnectorType``, such as ``IEC_62196_T2_COMBO``."""
    max_power_mw: int | None = None
    """Rated power in milliwatts."""


class RegisteredStation(NamedTuple):
    """One version of a station's entry in the register; absent facts are ``None``."""

    station_id: str
    name: str | None = None
    latitude: float | None = None
    """WGS 84 degrees, north positive."""
    longitude: float | None = None
    """WGS 84 degrees, east positive, -180 to 180."""
    time_zone: str | None = None
    """IANA name."""
    site_id: str | None = None
    tariff_id: str | None = None
    connectors: tuple[RegisteredConnector, ...] = ()
