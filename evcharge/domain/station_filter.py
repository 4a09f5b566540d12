"""Which stations a list shows."""

from __future__ import annotations

from typing import NamedTuple

from evcharge.domain.station_register import RegisteredStation
from evcharge.domain.station_view import StationView
from evcharge.domain.status_report import Status


class BoundingBox(NamedTuple):
    """A rectangle in WGS 84 degrees, its edges included; west > east crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def contains(self, latitude: float, longitude: float) -> bool:
        """Whether the point is inside; 180° and -180° are the same meridian."""
        if not self.south <= latitude <= self.north:
            return False
        return self._spans(longitude) or (abs(longitude) == 180 and self._spans(-longitude))

    def _spans(self, longitude: float) -> bool:
        if self.west > self.east:
            return longitude >= self.west or longitude <= self.east
        return self.west <= longitude <= self.east


class StationFilter(NamedTuple):
    """All conditions that are given must hold."""

    bbox: BoundingBox | None = None
    """A station whose place is not known is in none."""
    status: Status | None = None
    """The status of the station as a whole."""
    min_power_mw: int | None = None
    """Rated power in milliwatts that at least one plug has; a plug that states none has not."""

    def may_match(self, station: RegisteredStation | None) -> bool:
        """Whether the register alone does not rule the station out yet: no table is read for it."""
        if self.bbox is not None and not _inside(self.bbox, station):
            return False
        return self.min_power_mw is None or _has_power(self.min_power_mw, station)

    def matches(self, view: StationView) -> bool:
        """Whether a station that :meth:`may_match` also has the wanted status."""
        return self.status is None or view.status is self.status


def _inside(bbox: BoundingBox, station: RegisteredStation | None) -> bool:
    if station is None or station.latitude is None or station.longitude is None:
        return False
    return bbox.contains(station.latitude, station.longitude)


def _has_power(min_power_mw: int, station: RegisteredStation | None) -> bool:
    return station is not None and any(
        each.max_power_mw is not None and each.max_power_mw >= min_power_mw
        for each in station.connectors
    )
