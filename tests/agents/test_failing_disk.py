"""Rows that cannot be read under the agents: no valid record is rejected for it, the worker ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pytest

from evcharge.storage.errors import DamagedStoreError
from evcharge.testing import MemoryWorker
from tests.agents.billing_events import SETTINGS, decision, priced, told
from tests.agents.session_events import END, START, event

UPDATES = [
    event("update", 0, energy_kwh=n / 1000)
    | {"timestamp": f"2023-05-01T10:{n // 60:02}:{n % 60:02}Z"}
    for n in range(1, 600)
]
"""More than what is kept in the session's own row."""
DAMAGE = DamagedStoreError(Path("/data/charging-sessions-3"), "Corruption: block checksum mismatch")


def damaged(*_: Any) -> NoReturn:
    raise DAMAGE


async def ends_with(worker: MemoryWorker, topic: str, *values: dict[str, Any]) -> None:
    """Send what ends the worker, and see that nothing of it was written or rejected."""
    before = list(worker.outputs), worker.changelog("charging-sessions")
    with pytest.raises(DamagedStoreError):
        await worker.send(topic, *values)
    assert worker.failures == [f"a step could not be computed: {DAMAGE}"]
    assert (worker.outputs, worker.changelog("charging-sessions")) == before


def store_of(worker: MemoryWorker) -> Any:
    home = worker.state.partition_of("EV-001")
    return worker.app.table_of("charging-sessions").partition(home)


@pytest.mark.parametrize("read", ["get_many", "get"], ids=["kept records", "number"])
async def test_a_session_that_is_billed_over_damaged_rows_is_not_rejected(
    read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("charging-sessions", START, *UPDATES)
        monkeypatch.setattr(store_of(worker), read, damaged)
        await ends_with(worker, "charging-sessions", END)


async def test_a_session_that_is_billed_over_a_damaged_register_is_not_rejected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        monkeypatch.setattr(worker.app.reference.register._store, "get", damaged)
        await ends_with(worker, "charging-sessions", START, END)


async def test_a_decision_over_damaged_rows_is_not_rejected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("charging-sessions", START, END)
        assert len(told(worker)) == 1
        monkeypatch.setattr(store_of(worker), "get", damaged)
        await ends_with(worker, "session-decisions", decision("void", 2, "D1"))
