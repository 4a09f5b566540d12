"""Batteries, and how fast they take energy."""

from __future__ import annotations

from dataclasses import dataclass

_TAPER_FROM = 0.8
_POWER_WHEN_FULL = 0.08


@dataclass(frozen=True, slots=True)
class Vehicle:
    """What a car's battery and its chargers can take."""

    battery_wh: float
    ac_limit_w: float
    dc_limit_w: float

    def power_w(self, rated_w: float, state_of_charge: float, *, direct_current: bool) -> float:
        """Return the power that flows at a plug of that rating, in watts.

        Constant up to 80 % of charge, then falling evenly to 8 % of that, as cells ask for less
        current at their voltage limit; nothing into a full battery. Never above the rating.
        """
        if state_of_charge >= 1:
            return 0.0
        limit = min(rated_w, self.dc_limit_w if direct_current else self.ac_limit_w)
        if state_of_charge <= _TAPER_FROM:
            return limit
        along = (state_of_charge - _TAPER_FROM) / (1 - _TAPER_FROM)
        return limit * (1 - along * (1 - _POWER_WHEN_FULL))


VEHICLES = (
    Vehicle(battery_wh=40_000, ac_limit_w=6_600, dc_limit_w=46_000),
    Vehicle(battery_wh=58_000, ac_limit_w=11_000, dc_limit_w=120_000),
    Vehicle(battery_wh=64_000, ac_limit_w=7_200, dc_limit_w=77_000),
    Vehicle(battery_wh=77_000, ac_limit_w=11_000, dc_limit_w=170_000),
    Vehicle(battery_wh=93_000, ac_limit_w=22_000, dc_limit_w=270_000),
)
