"""What the lookout makes of what it sees."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from evcharge.engine import lookout as module
from evcharge.engine.lookout import Lookout
from evcharge.settings import Settings

A = TP("t", 0)


class Scene:
    """A consumer that has made ``durable`` what it shows, and a Kafka that has ``ends``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.at, self.end = 5, 9
        self.is_writable = self.answers = True
        self.app = SimpleNamespace(settings=Settings(), rebalancing=False, recovered=True)
        driver = SimpleNamespace(ends=self.ends, writable=self.writable, refresh=self.refresh)
        consumer: Any = SimpleNamespace(app=self.app, driver=driver, durable=lambda: {A: self.at})
        self.lookout = Lookout(consumer)
        monkeypatch.setattr(module, "monotonic", lambda: self.now)

    async def ends(self, _: object) -> dict[TP, int]:
        return {A: self.end}

    async def writable(self, _: int) -> bool:
        return self.is_writable

    async def refresh(self) -> bool:
        return self.answers

    async def reason(self, for_s: int) -> str | None:
        """Look every second, return the first reason to end."""
        for _ in range(for_s):
            self.now += 1
            if reason := await self.lookout._look():
                return reason
        return None


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


async def test_lag_is_what_is_not_durable(scene: Scene) -> None:
    await scene.reason(1)
    assert scene.lookout.lag == {("t", 0): 4}


async def test_a_worker_that_gets_nowhere_ends(scene: Scene) -> None:
    assert "nothing of t/0" in (await scene.reason(70) or "")


async def test_a_kafka_that_can_be_read_but_not_written_is_not_the_workers_fault(
    scene: Scene,
) -> None:
    scene.is_writable = False
    assert await scene.reason(70) is None
    scene.is_writable = True
    assert await scene.reason(40) is None, "it gets its time"
    assert await scene.reason(30) is not None


async def test_a_rebalance_that_never_ends_ends_the_worker(scene: Scene) -> None:
    scene.app.rebalancing = True
    assert "rebalance" in (await scene.reason(700) or "")


async def test_a_rebalance_that_waits_for_kafka_may_wait(scene: Scene) -> None:
    scene.app.recovered = False
    scene.answers = False
    assert await scene.reason(5_000) is None
