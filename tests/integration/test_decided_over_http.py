"""A person decides about a held session over HTTP: from the device's record to the credit note."""

from __future__ import annotations

from typing import Any

import pytest

from tests.eventually import eventually
from tests.integration.deployment import Deployment, Worker
from tests.integration.test_billing_crashes import TARIFF

pytestmark = pytest.mark.broker

END = {
    "event": "session_end",
    "session_id": "S1",
    "station_id": "EV-001",
    "timestamp": "2023-05-01T11:00:00Z",
    "energy_kwh": 10,
    "user_id": "U1",
}
"""Nobody says when it started: the session is held."""


async def test_a_held_session_is_corrected_invoiced_and_voided(deployment: Deployment) -> None:
    deployment.variables |= {"EVCHARGE_PARTITIONS": "2", "EVCHARGE_ISSUER_NAME": "Watt GmbH"}
    assert deployment.command("topics").returncode == 0
    await deployment.produce("tariffs", [TARIFF], partition=0)
    await deployment.produce("stations", [{"station_id": "EV-001", "tariff_id": "T1"}], partition=0)
    # Whoever is asked: one of the two owns the station, the other asks it.
    one, other = workers = deployment.worker("one").start(), deployment.worker("two").start()
    for worker in workers:
        worker.ready()
    await deployment.produce("charging-sessions", [END])

    held = session_as(one, "held")
    assert held["held_reasons"] == ["no-start"]
    (listed,) = one.pages("/v1/sessions?state=held", "sessions")
    assert (listed["session_id"], listed["revision"]) == ("S1", held["revision"])

    decide(one, "correct", held["revision"], started_at="2023-05-01T10:00:00Z")
    completed = session_as(other, "completed")
    assert (completed["duration_s"], completed["cost"]["incl_vat"]) == (3600, "5.00")
    (invoice,) = documents(one, 1)
    assert (invoice["kind"], invoice["cost"]) == ("invoice", completed["cost"])
    for worker in workers:
        assert documents(worker, 1) == [invoice]
        assert worker.get(f"/v1/invoices/{invoice['invoice_id']}") == (200, invoice)
        status, page = worker.get(f"/invoices/{invoice['invoice_id']}")
        assert (status, invoice["number"] in page) == (200, True)

    decide(other, "void", completed["revision"])
    assert session_as(one, "void")["cost"] is None
    for worker in workers:
        kinds = {each["kind"]: each for each in documents(worker, 2)}
        note = kinds["credit_note"]
        assert kinds["invoice"] == invoice
        assert (note["credits"]["number"], note["cost"]["incl_vat"]) == (invoice["number"], "-5.00")
        assert worker.get(f"/invoices/{note['invoice_id']}")[0] == 200

    stale, problem = one.post("/v1/sessions/S1/decisions", decision("approve", held["revision"]))
    assert (stale, problem["status"]) == (409, 409)
    await deployment.applied()
    verified = deployment.command("verify", "--url", one.url)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def decision(verdict: str, revision: int, **more: Any) -> dict[str, Any]:
    """Return the body that a clerk sends."""
    return {
        "station_id": "EV-001",
        "decision": verdict,
        "actor": "clerk-1",
        "revision": int(revision),
        **more,
    }


def decide(worker: Worker, verdict: str, revision: int, **more: Any) -> None:
    """Decide; sent again, it is the same decision."""
    body = decision(verdict, revision, **more)

    def sent() -> bool:
        status, answer = worker.post("/v1/sessions/S1/decisions", body)
        assert status in {200, 202, 503}, answer
        return status != 503

    eventually(sent, what=f"the decision to {verdict}")


def session_as(worker: Worker, state: str) -> Any:
    """Return the session when it is in a state."""

    def look() -> Any:
        status, session = worker.get("/v1/sessions/S1")
        return session if status == 200 and session["state"] == state else None

    return eventually(look, what=f"the session being {state}")


def documents(worker: Worker, count: int) -> list[dict[str, Any]]:
    """Return the user's invoices and credit notes when there are so many."""

    def look() -> list[dict[str, Any]]:
        found = list(worker.pages("/v1/users/U1/invoices", "invoices"))
        return found if len(found) == count else []

    found: list[dict[str, Any]] = eventually(look, what=f"{count} documents of the user")
    return found
