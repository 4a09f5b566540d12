"""Which stations a list shows."""

from __future__ import annotations

import pytest

from evcharge.domain.station import describe_station
from evcharge.domain.station_filter import BoundingBox, StationFilter
from evcharge.domain.station_register import RegisteredConnector, RegisteredStation
from evcharge.domain.status_report import Status

KW = 1_000_000


def at(latitude: float | None, longitude: float | None) -> RegisteredStation:
    return RegisteredStation("EV-1", latitude=latitude, longitude=longitude)


@pytest.mark.parametrize(
    ("latitude", "longitude", "inside"),
    [
        (48.0, 2.0, True),
        (45.0, 1.0, True),  # the edges belong to it
        (50.0, 3.0, True),
        (44.999, 2.0, False),
        (50.001, 2.0, False),
        (48.0, 0.999, False),
        (48.0, 3.001, False),
    ],
)
def test_a_box_holds_its_inside_and_its_edges(
    latitude: float, longitude: float, inside: bool
) -> None:
    assert BoundingBox(1, 45, 3, 50).contains(latitude, longitude) is inside


@pytest.mark.parametrize(
    ("longitude", "inside"),
    [(175.0, True), (180.0, True), (-180.0, True), (-175.0, True), (0.0, False), (169.9, False)],
)
def test_a_box_whose_west_is_greater_than_its_east_crosses_the_antimeridian(
    longitude: float, inside: bool
) -> None:
    assert BoundingBox(170, -20, -170, -10).contains(-15, longitude) is inside


@pytest.mark.parametrize("longitude", [180.0, -180.0])
@pytest.mark.parametrize("box", [(170, -20, 180, -10), (-180, -20, -170, -10)])
def test_the_antimeridian_belongs_to_both_sides(
    box: tuple[float, float, float, float], longitude: float
) -> None:
    assert BoundingBox(*box).contains(-15, longitude)


def test_a_station_whose_place_is_not_known_is_in_no_box() -> None:
    world = StationFilter(bbox=BoundingBox(-180, -90, 180, 90))

    assert world.may_match(at(1, 2))
    assert not world.may_match(at(None, 2))
    assert not world.may_match(at(1, None))
    assert not world.may_match(None)


@pytest.mark.parametrize(
    ("rated_mw", "matches"), [(22 * KW, True), (22 * KW - 1, False), (None, False)]
)
def test_one_plug_must_have_the_power(rated_mw: int | None, matches: bool) -> None:
    station = RegisteredStation(
        "EV-1",
        connectors=(
            RegisteredConnector(1, max_power_mw=3 * KW),
            RegisteredConnector(2, max_power_mw=rated_mw),
        ),
    )

    assert StationFilter(min_power_mw=22 * KW).may_match(station) is matches
    assert not StationFilter(min_power_mw=22 * KW).may_match(None)


def test_the_status_is_that_of_the_whole_station() -> None:
    unheard = describe_station("EV-1", None, (), None, 0, 0)

    assert StationFilter(status=Status.UNKNOWN).matches(unheard)
    assert not StationFilter(status=Status.FREE).matches(unheard)


def test_no_condition_lets_every_station_pass() -> None:
    assert StationFilter().may_match(None)
    assert StationFilter().matches(describe_station("EV-1", None, (), None, 0, 0))
