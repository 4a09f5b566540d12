"""A station as the outside sees it: the **Station** of the contract."""

from __future__ import annotations

from typing import Any

from evcharge.domain.quantities import kw
from evcharge.domain.station_view import ConnectorView, StationView
from evcharge.web.answers import number, timestamp


def station_json(station: StationView) -> dict[str, Any]:
    """The members of the contract, in its order."""
    return {
        "station_id": station.station_id,
        "name": station.name,
        "latitude": station.latitude,
        "longitude": station.longitude,
        "time_zone": station.time_zone,
        "site_id": station.site_id,
        "tariff_id": station.tariff_id,
        "status": station.status.value,
        "free": station.free,
        "evses": station.evses,
        "connectors": [_connector_json(each) for each in station.connectors],
        "updated_at": timestamp(station.updated_us),
    }


def _connector_json(connector: ConnectorView) -> dict[str, Any]:
    return {
        "connector_id": connector.connector_id,
        "evse_id": connector.evse_id,
        "status": connector.status.value,
        "since": timestamp(connector.since_us),
        "age_s": connector.age_s,
        "error_code": connector.error_code,
        "standard": connector.standard,
        "max_power_kw": number(connector.max_power_mw, kw),
        "session_id": connector.session_id,
    }
