"""How fast batteries take energy."""

from __future__ import annotations

import pytest

from evcharge.simulation.vehicle import VEHICLES, Vehicle

CAR = Vehicle(battery_wh=60_000, ac_limit_w=11_000, dc_limit_w=120_000)


@pytest.mark.parametrize("state_of_charge", [0.0, 0.5, 0.8])
def test_up_to_80_percent_the_weaker_of_plug_and_car_decides(state_of_charge: float) -> None:
    assert CAR.power_w(50_000, state_of_charge, direct_current=True) == 50_000
    assert CAR.power_w(300_000, state_of_charge, direct_current=True) == 120_000
    assert CAR.power_w(22_000, state_of_charge, direct_current=False) == 11_000


def test_above_80_percent_the_power_falls_to_a_twelfth() -> None:
    assert CAR.power_w(50_000, 0.9, direct_current=True) == pytest.approx(27_000)
    assert CAR.power_w(50_000, 0.999999, direct_current=True) == pytest.approx(4_000, rel=1e-3)


def test_a_full_battery_takes_nothing() -> None:
    assert CAR.power_w(50_000, 1.0, direct_current=True) == 0


@pytest.mark.parametrize("vehicle", VEHICLES)
def test_no_car_takes_more_than_the_plug_is_rated_for(vehicle: Vehicle) -> None:
    for percent in range(101):
        for direct_current in (True, False):
            power_w = vehicle.power_w(3_600, percent / 100, direct_current=direct_current)
            assert 0 <= power_w <= 3_600
