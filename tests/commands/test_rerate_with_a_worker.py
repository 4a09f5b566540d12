"""A whole re-rating: real workers bill, `rerate --apply` has them bill again, the audit is clean."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from evcharge.broker import KafkaCluster
from tests.commands.billed import DECISIONS, INVOICES, tariff
from tests.integration.deployment import Deployment

pytestmark = pytest.mark.broker

SESSIONS = 40


@pytest.fixture
def deployment(kafka: KafkaCluster, tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(kafka.bootstrap, f"t{uuid.uuid4().hex[:8]}", tmp_path) as fresh:
        yield fresh


async def test_workers_bill_a_re_rated_period_anew_and_once(
    deployment: Deployment, tmp_path: Path
) -> None:
    first, other = tmp_path / "first.json", tmp_path / "other.json"
    first.write_text(json.dumps(tariff(0.5)))
    other.write_text(json.dumps(tariff(0.6)))
    deployment.worker(EVCHARGE_DEFAULT_TARIFF=str(first)).start().ready()
    await deployment.produce(
        "charging-sessions",
        (
            {
                "session_id": f"S{number}",
                "station_id": f"EV-{number % 7}",
                "start_time": "2023-05-01T10:15:30Z",
                "end_time": "2023-05-01T12:00:00Z",
                "energy_kwh": number,
                "user_id": f"U{number % 3}",
            }
            for number in range(1, SESSIONS + 1)
        ),
    )
    await deployment.applied()
    period = ("--from", "2023-05-01", "--to", "2023-05-02")

    audited = deployment.command("rerate", *period)
    assert (audited.returncode, audited.stdout) == (0, ""), audited.stderr
    applied = deployment.command("rerate", "--tariff", str(other), *period, "--apply")

    assert applied.returncode == 0, applied.stderr
    assert "old total: 492.00 EUR" in applied.stdout
    assert "new total: 590.40 EUR" in applied.stdout
    assert f"the workers have billed {SESSIONS} sessions anew" in applied.stderr
    assert f"{SESSIONS} credit notes, {SESSIONS} invoices" in applied.stderr
    documents = [json.loads(record.value) for record in await deployment.records(INVOICES)]
    owed = sum(round(float(each["cost"]["incl_vat"]) * 100) for each in documents)
    assert (len(documents), owed) == (3 * SESSIONS, 59_040)
    for arguments, told in (
        (("--tariff", str(other), "--apply"), "0 decisions written"),
        ((), "no differences"),
    ):
        again = deployment.command("rerate", *arguments, *period)
        assert (again.returncode, told in again.stderr) == (0, True), again.stderr
    assert len(await deployment.records(DECISIONS)) == SESSIONS
    assert len(await deployment.records(INVOICES)) == 3 * SESSIONS
