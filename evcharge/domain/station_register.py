"""What the operator's register says about one station."""

from __future__ import annotations

from collections.abc import Sequence
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


class RegisterEntry(NamedTuple):
    """What was said of a station at an instant."""

    published_us: int
    station: RegisteredStation | None
    """None: it was removed."""


def valid_entry(entries: Sequence[RegisterEntry], instant_us: int) -> RegisteredStation | None:
    """Return what the register said of a station at an instant, ``None`` if it was not registered.

    ``entries`` are all of its entries in the order of their publication, the first one is no removal.
    Before it that one holds, so that sessions of any year can be replayed.
    """
    published = [each.station for each in entries if each.published_us <= instant_us]
    if published:
        return published[-1]
    return entries[0].station if entries else None


def have_same_terms(one: RegisteredStation | None, other: RegisteredStation | None) -> bool:
    """Whether the terms of a session would be the same under two entries."""
    return _terms_of(one) == _terms_of(other)


def _terms_of(station: RegisteredStation | None) -> tuple[object, ...]:
    if station is None:
        return None, None, {}
    powers = {
        each.connector_id: each.max_power_mw
        for each in station.connectors
        if each.max_power_mw is not None
    }
    return station.tariff_id, station.time_zone, powers
