"""Local rows are believed only beside the Kafka that they came from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evcharge.broker import KafkaCluster
from tests.eventually import eventually
from tests.integration.deployment import Deployment
from tests.integration.test_crashes import closed

pytestmark = pytest.mark.broker


async def test_rows_of_another_kafka_are_dropped_also_if_its_changelog_is_longer(
    tmp_path: Path,
) -> None:
    with KafkaCluster(port=0) as one, Deployment(one.bootstrap, "d", tmp_path) as deployment:
        worker = deployment.worker().start().ready()
        await deployment.produce("charging-sessions", [closed("of-one")])
        await deployment.applied()
        assert worker.stop() == 0
    kept = tmp_path / "kept"
    shutil.move(tmp_path / "worker-1", kept)

    with KafkaCluster(port=0) as two, Deployment(two.bootstrap, "d", tmp_path) as deployment:
        worker = deployment.worker().start().ready()
        await deployment.produce("charging-sessions", [closed(f"of-two-{n}") for n in range(50)])
        await deployment.applied()
        assert worker.stop() == 0
        shutil.rmtree(tmp_path / "worker-1")
        shutil.move(kept, tmp_path / "worker-1")

        worker.start().ready()

        found = {s["session_id"] for s in worker.pages("/v1/stations/EV-001/sessions", "sessions")}
        assert found == {f"of-two-{n}" for n in range(50)}
        assert worker.get("/v1/sessions/of-one")[0] == 404
        assert "are of another history" in worker.log()


async def test_a_worker_whose_kafka_came_back_empty_ends_and_starts_over(tmp_path: Path) -> None:
    first = KafkaCluster(port=0)
    first.start()
    port = int(first.bootstrap.rsplit(":", 1)[1])
    with Deployment(first.bootstrap, "d", tmp_path) as deployment:
        worker = deployment.worker().start().ready()
        await deployment.produce("charging-sessions", [closed("S1")])
        await deployment.applied()
        first.stop()
        with KafkaCluster(port=port):
            eventually(lambda: not worker.alive, what="the worker ending")
            assert "was it emptied?" in worker.log()
            assert len(worker.log(whole=True)) < 200_000

            worker.start().ready()

            assert worker.get("/v1/sessions/S1")[0] == 404
            await deployment.produce("charging-sessions", [closed("S2")])
            await deployment.applied()
            assert worker.get("/v1/sessions/S2")[0] == 200
