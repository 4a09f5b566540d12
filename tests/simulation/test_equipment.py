"""Which bays and plugs a register means."""

from __future__ import annotations

from typing import Any

import pytest

from evcharge.simulation.equipment import Plug, bay_plans


def test_plugs_with_the_same_evse_share_a_bay_and_others_have_their_own() -> None:
    connectors = [
        {"connector_id": 1, "evse_id": "A", "standard": "IEC_62196_T2_COMBO", "max_power_kw": 150},
        {"connector_id": 2, "evse_id": "A", "standard": "CHADEMO", "max_power_kw": 50},
        {"connector_id": 3, "standard": "IEC_62196_T2", "max_power_kw": 22},
    ]

    shared, own = bay_plans([{"station_id": "EV-1", "connectors": connectors}])

    assert shared.plugs == (
        Plug(1, 150_000, direct_current=True),
        Plug(2, 50_000, direct_current=True),
    )
    assert own.plugs == (Plug(3, 22_000, direct_current=False),)


def test_a_station_that_states_nothing_has_one_weak_plug() -> None:
    (plan,) = bay_plans([{"station_id": "EV-1"}])

    assert plan.station_id == "EV-1"
    assert plan.plugs == (Plug(1, 3_600, direct_current=False),)
    assert plan.time_zone.key == "UTC"


@pytest.mark.parametrize(
    "register",
    [
        {},
        [],
        "x",
        [{"name": "no id"}],
        ["x"],
        [{"station_id": "EV-1", "connectors": [{"connector_id": None}]}],
        [{"station_id": "EV-1", "time_zone": "Mars/Base"}],
    ],
)
def test_what_is_no_register_is_refused(register: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a JSON array|station 1 lacks"):
        bay_plans(register)
