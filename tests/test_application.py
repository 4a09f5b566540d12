"""What the application does around its agents."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from evcharge.engine.consumer import ChunkConsumer
from evcharge.settings import Settings
from evcharge.worker import build


async def test_a_rebalance_in_the_middle_does_not_lose_the_preparation(monkeypatch: Any) -> None:
    app = build(Settings(), in_memory=True)
    begun, may_end, starts = asyncio.Event(), asyncio.Event(), []

    async def slow_start(**_: Any) -> None:
        starts.append("reference")
        begun.set()
        await may_end.wait()

    monkeypatch.setattr(app.reference, "start", slow_start)
    first = asyncio.create_task(app.before_first_record())
    await begun.wait()

    # A rebalance cancels the recovery that waits, and another one waits again.
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    second = asyncio.create_task(app.before_first_record())
    await asyncio.sleep(0)
    assert not second.done()
    may_end.set()
    await second

    assert starts == ["reference"]


async def test_a_failed_preparation_is_told_to_everyone_who_waits(monkeypatch: Any) -> None:
    app = build(Settings(), in_memory=True)

    async def failing_start(**_: Any) -> None:
        raise OSError("no disk")

    monkeypatch.setattr(app.reference, "start", failing_start)
    for _ in range(2):
        with contextlib.suppress(OSError):
            await app.before_first_record()
            raise AssertionError("it did not fail")


async def test_a_worker_is_no_member_before_it_has_joined() -> None:
    app = build(Settings(), in_memory=True)
    assert not app.is_member
    assert isinstance(app.consumer, ChunkConsumer)
    assert not app.is_member


@pytest.mark.parametrize(
    ("settings", "warnings"),
    [
        (Settings(), 1),
        (Settings(issuer_name="Watt"), 0),
        (Settings(billing=False), 0),
    ],
)
async def test_a_worker_that_bills_without_an_issuer_says_so_once(
    settings: Settings, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = build(settings, in_memory=True)
    for _ in range(2):
        await app.before_first_record()
    told = [each.message for each in caplog.records if "EVCHARGE_ISSUER_NAME" in each.message]
    assert (
        told == ["EVCHARGE_ISSUER_NAME is not set: invoices will name nobody as issuer"] * warnings
    )
