"""When the recovery follows changelogs, and when no longer."""

from __future__ import annotations

from typing import Any, cast

from evcharge.engine.recovery import LaneTableManager
from evcharge.settings import Settings
from evcharge.worker import build


async def test_copies_are_followed_no_longer_when_their_stores_are_closed(monkeypatch: Any) -> None:
    app = build(Settings(), in_memory=True)
    done: list[str] = []

    async def halt() -> None:
        done.append("halt")

    async def stop() -> None:
        done.append("close")

    monkeypatch.setattr(app.changelogs, "halt", halt)
    for table in app.tables.values():
        monkeypatch.setattr(table, "stop", stop)
    manager = cast("LaneTableManager", app.tables)
    assert manager.recovery is not None
    await manager.on_stop()
    assert done == ["halt", "close", "close"]
