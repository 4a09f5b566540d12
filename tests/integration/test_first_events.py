"""The smallest use of the program: one worker, two bare events, any Kafka client."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from tests.eventually import eventually
from tests.integration.deployment import Deployment, Worker

pytestmark = pytest.mark.broker

STATUS = b'{"station_id":"EV-001","timestamp":"2023-05-01T10:15:30Z","status":"occupied"}'
CLOSED = (
    b'{"session_id":"S12345","station_id":"EV-001","start_time":"2023-05-01T10:15:30Z",'
    b'"end_time":"2023-05-01T12:00:00Z","energy_kwh":22.5,"user_id":"U67890"}'
)


async def test_the_two_bare_payloads_show_up_in_under_a_second(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()

    await deployment.produce("station-status", [STATUS])
    await deployment.produce("charging-sessions", [CLOSED])

    session = eventually(lambda: found(worker.get("/v1/sessions/S12345")), patience_s=1)
    assert session["state"] == "completed"
    assert session["energy_kwh"] == Decimal("22.5")
    assert session["duration_s"] == 6270
    assert session["user_id"] == "U67890"
    station = eventually(lambda: found(worker.get("/v1/stations/EV-001")), patience_s=1)
    assert station["status"] == "occupied"
    assert station["connectors"][0]["since"] == "2023-05-01T10:15:30Z"


async def test_events_are_found_whichever_partition_a_producer_put_them_in(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    for partition in range(8):
        station = f"EV-{partition}".encode()
        await deployment.produce(
            "station-status", [STATUS.replace(b"EV-001", station)], partition=partition
        )
        await deployment.produce(
            "charging-sessions", [CLOSED.replace(b"EV-001", station)], partition=partition
        )
    for partition in range(8):
        session = f"/v1/sessions/S12345?station_id=EV-{partition}"
        eventually(partial(look, worker, session))
        station_path = f"/v1/stations/EV-{partition}"
        eventually(partial(look, worker, station_path))
    status, problem = worker.get("/v1/sessions/S12345")
    assert status == 409
    assert all(f"EV-{partition}" in str(problem) for partition in range(8))


async def test_a_foreign_producer_is_rerouted_once_and_its_first_place_is_kept(
    deployment: Deployment,
) -> None:
    worker = deployment.worker().start().ready()
    home = 1  # murmur2("EV-001") % 8, as Kafka's Java client computes it
    await deployment.produce("charging-sessions", [CLOSED], partition=5)
    eventually(lambda: found(worker.get("/v1/sessions/S12345")))

    rerouted = await deployment.records("charging-sessions-rerouted")

    assert [(r.partition, r.value) for r in rerouted] == [(home, CLOSED)]
    headers = dict(rerouted[0].headers)
    assert (headers["source-partition"], headers["source-offset"]) == (b"5", b"0")


async def test_an_open_session_occupies_its_plug_until_it_ends(deployment: Deployment) -> None:
    worker = deployment.worker().start().ready()
    start = {
        "event": "session_start",
        "session_id": "S1",
        "station_id": "EV-9",
        "timestamp": "2023-05-01T10:00:00Z",
        "connector_id": 2,
    }
    end = start | {
        "event": "session_end",
        "timestamp": "2023-05-01T10:30:00Z",
        "energy_kwh": 7.25,
    }

    await deployment.produce("charging-sessions", [start])
    station = eventually(lambda: found(worker.get("/v1/stations/EV-9")))
    assert station["connectors"] == [
        station["connectors"][0] | {"connector_id": 2, "status": "occupied", "session_id": "S1"}
    ]

    await deployment.produce("charging-sessions", [end])
    eventually(lambda: worker.get("/v1/sessions/S1")[1]["state"] == "completed")
    station = worker.get("/v1/stations/EV-9")[1]
    assert station["connectors"][0]["session_id"] is None
    assert station["status"] == "unknown"


def look(worker: Worker, path: str) -> Any:
    return found(worker.get(path))


def found(answer: tuple[int, Any]) -> Any:
    """Return the body of a 200, or nothing."""
    return answer[1] if answer[0] == 200 else None
