"""One EVSE: a car plugs in, charges, idles and leaves, and the device says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evcharge.simulation.delivery import Delivery, timestamp

if TYPE_CHECKING:
    from evcharge.simulation.equipment import BayPlan, Plug
    from evcharge.simulation.vehicle import Vehicle

_US_PER_H = 3_600_000_000
# A battery's power changes slowly: it is held constant over so much time at most.
_STEP_US = 1_000_000


@dataclass(slots=True)
class Visit:
    """A car at a plug, from plug-in to unplug."""

    session_id: str
    user_id: str | None
    plug: Plug
    vehicle: Vehicle
    state_of_charge: float
    """0 to 1."""
    enough_us: int
    """When the car stops asking for power at the latest."""
    leaves_us: int
    metered_us: int
    """Until when the energy is counted; at first the plug-in."""
    energy_wh: float = 0.0
    charging: bool = True
    seq: int = 0


class Bay:
    """What one EVSE knows and says; every method returns the records that the device sends.

    `tells_register`: it states its meter's register instead of the session's energy.
    """

    def __init__(self, plan: BayPlan, *, register_wh: float, tells_register: bool) -> None:
        self.plan = plan
        self.visit: Visit | None = None
        self.faulted_until_us = 0
        self._register_wh = register_wh
        self._tells_register = tells_register

    def plug_in(self, visit: Visit) -> list[Delivery]:
        """A car comes: session_start, then the status occupied."""
        self.visit = visit
        at_us = visit.metered_us
        fields: dict[str, Any] = {"user_id": visit.user_id} if visit.user_id else {}
        if self._tells_register:
            fields["meter_kwh"] = _kwh(self._register_wh)
        return [self._session("session_start", at_us, fields), self.status(visit.plug, at_us)]

    def update(self, at_us: int) -> list[Delivery]:
        """Tell the energy so far, the power, and whether the car still asks for any."""
        visit = self._meter(at_us)
        power_w = self._power_w(visit)
        fields = self._reading(visit) | {
            "power_kw": round(power_w / 1000, 2),
            "charging": visit.charging,
        }
        if visit.plug.direct_current:
            # An AC plug does not know the battery.
            fields["soc_percent"] = int(visit.state_of_charge * 100)
        return [self._session("session_update", at_us, fields)]

    def stop_charging(self, at_us: int) -> list[Delivery]:
        """The car has enough and stays: said at once, for a tariff may ask for parking time."""
        self._meter(at_us).charging = False
        return self.update(at_us)

    def unplug(self, at_us: int, reason: str) -> list[Delivery]:
        """The car leaves: session_end, then the status free."""
        visit = self._meter(at_us)
        end = self._session("session_end", at_us, self._reading(visit) | {"reason": reason})
        self.visit = None
        return [end, self.status(visit.plug, at_us)]

    def status(self, plug: Plug, at_us: int) -> Delivery:
        """One plug's status: said when it changes, and now and then again."""
        event: dict[str, Any] = {
            "station_id": self.plan.station_id,
            "connector_id": plug.connector_id,
            "timestamp": timestamp(at_us),
            "status": "free",
        }
        if self.visit is not None and self.visit.plug == plug:
            event["status"] = "occupied"
        elif at_us < self.faulted_until_us:
            event |= {"status": "faulted", "error_code": "GroundFailure"}
        return Delivery(at_us, "station-status", self.plan.station_id, event)

    def _meter(self, at_us: int) -> Visit:
        """Count the energy that flowed until now."""
        visit = self.visit
        assert visit is not None, "only an occupied bay is metered"
        while visit.metered_us < at_us:
            until = min(at_us, visit.metered_us + _STEP_US)
            room_wh = visit.vehicle.battery_wh * (1 - visit.state_of_charge)
            flowed_wh = self._power_w(visit) * (until - visit.metered_us) / _US_PER_H
            flowed_wh = min(flowed_wh, room_wh)
            visit.energy_wh += flowed_wh
            self._register_wh += flowed_wh
            visit.state_of_charge += flowed_wh / visit.vehicle.battery_wh
            visit.metered_us = until
        return visit

    def _power_w(self, visit: Visit) -> float:
        if not visit.charging:
            return 0.0
        return visit.vehicle.power_w(
            visit.plug.rated_w, visit.state_of_charge, direct_current=visit.plug.direct_current
        )

    def _reading(self, visit: Visit) -> dict[str, Any]:
        if self._tells_register:
            return {"meter_kwh": _kwh(self._register_wh)}
        return {"energy_kwh": _kwh(visit.energy_wh)}

    def _session(self, event: str, at_us: int, fields: dict[str, Any]) -> Delivery:
        visit = self.visit
        assert visit is not None, "a session is told of an occupied bay"
        told = {
            "event": event,
            "session_id": visit.session_id,
            "station_id": self.plan.station_id,
            "connector_id": visit.plug.connector_id,
            "timestamp": timestamp(at_us),
            "seq": visit.seq,
            **fields,
        }
        visit.seq += 1
        return Delivery(at_us, "charging-sessions", self.plan.station_id, told)


def _kwh(watt_hours: float) -> float:
    """Kilowatt-hours, cut to the 0.1 Wh that the meter shows (never more than flowed)."""
    return int(watt_hours * 10) / 10_000
