"""The demo's order of events, with programs and a worker that only pretend."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evcharge.demo.play import StoppedError, Voices, play
from evcharge.demo.stage import Stage
from evcharge.errors import CommandError
from tests.demo.fake_worker_web import FakeWorkerWeb
from tests.processes import alive

FAKE = Path(__file__).with_name("fake_program.py")
ALL_WELL = {
    "topics": "end",
    "worker": "serve",
    "load": "end",
    "replay": "end",
    "simulate": "serve",
}


class Rehearsal:
    """A stage with fakes on it, and what was heard and noted."""

    def __init__(self, stage: Stage, notes: Path) -> None:
        self.stage = stage
        self.shown: list[str] = []
        self.told: list[str] = []
        self.stop = asyncio.Event()
        self.on_show: Callable[[str], None] = lambda _line: None
        self._notes = notes

    def show(self, line: str) -> None:
        self.shown.append(line)
        self.on_show(line)

    async def play(self, seconds: float | None, *, applied: bool = True) -> None:
        async def are_applied(_within_s: float) -> bool:
            return applied

        await self.race(
            play(
                self.stage,
                seconds,
                stop=self.stop,
                applied=are_applied,
                voices=Voices(self.show, self.told.append),
            )
        )

    async def race(self, playing: Awaitable[None]) -> None:
        """As the demo's main program: a failed program ends the play."""
        task = asyncio.ensure_future(playing)
        try:
            async with asyncio.timeout(30):
                await asyncio.wait({task, self.stage.failure}, return_when=asyncio.FIRST_COMPLETED)
                if self.stage.failure.done():
                    await self.stage.failure
                await task
        finally:
            task.cancel()
            await self.stage.clear()

    @property
    def noted(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._notes.read_text().splitlines()]


@pytest.fixture
def acts() -> dict[str, str]:
    return dict(ALL_WELL)


async def rehearsal(
    tmp_path: Path, web: FakeWorkerWeb, monkeypatch: pytest.MonkeyPatch, acts: dict[str, str]
) -> Rehearsal:
    notes = tmp_path / "notes"
    notes.touch()
    monkeypatch.setenv("FAKE_NOTES", str(notes))
    monkeypatch.setenv("FAKE_ACTS", json.dumps(acts))
    monkeypatch.setenv("EVCHARGE_TOPIC_PREFIX", "the-users-own.")
    web.stations = [{"station_id": "445920", "site_id": "125372", "status": "free", "name": "W"}]
    web.sessions = {"445920": [{"state": "completed", "energy_kwh": float(Decimal("7.25"))}]}
    stage = Stage(
        tmp_path, "127.0.0.1:9092", web_port=web.port, program=(sys.executable, str(FAKE))
    )
    return Rehearsal(stage, notes)


async def test_it_shows_the_addresses_first_and_ends_by_itself_with_the_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acts: dict[str, str]
) -> None:
    async with FakeWorkerWeb() as web:
        played = await rehearsal(tmp_path, web, monkeypatch, acts)
        await played.play(1)

    assert played.shown[:2] == [f"web http://127.0.0.1:{web.port}", "broker 127.0.0.1:9092"]
    assert played.shown[-1] == '{"sessions":1,"completed":1,"energy_kwh":"7.25"}'
    assert any(line.startswith("3,395 real sessions are replayed") for line in played.told)


async def test_the_programs_play_in_order_with_the_demos_settings_and_none_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acts: dict[str, str]
) -> None:
    async with FakeWorkerWeb() as web:
        played = await rehearsal(tmp_path, web, monkeypatch, acts)
        await played.play(1)

    asked = [note["asked"][0] for note in played.noted]
    assert asked[0] == "topics"
    assert set(asked[1:3]) == {"worker", "load"}
    assert set(asked[3:]) == {"replay", "simulate"}
    for note in played.noted:
        assert note["settings"]["EVCHARGE_BROKER"] == "kafka://127.0.0.1:9092"
        assert note["settings"]["EVCHARGE_WEB_PORT"] == str(web.port)
        assert "EVCHARGE_TOPIC_PREFIX" not in note["settings"], "the user's own deployment's"
        assert not alive(note["pid"])


async def test_a_station_that_changes_is_shown_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acts: dict[str, str]
) -> None:
    async with FakeWorkerWeb() as web:
        played = await rehearsal(tmp_path, web, monkeypatch, acts)

        def a_car_comes_once_it_was_looked_at(line: str) -> None:
            if line.startswith("broker"):
                loop = asyncio.get_running_loop()
                loop.call_later(0.7, web.stations[0].update, {"status": "occupied"})

        played.on_show = a_car_comes_once_it_was_looked_at
        await played.play(3)

    assert any(line.endswith("station 445920 (W): free -> occupied") for line in played.shown)


async def test_a_stop_sums_up_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acts: dict[str, str]
) -> None:
    acts["replay"] = "serve"  # it is not done when somebody stops the demo
    async with FakeWorkerWeb() as web:
        played = await rehearsal(tmp_path, web, monkeypatch, acts)
        played.on_show = lambda line: played.stop.set() if line.startswith("broker") else None
        await played.play(None)

    assert played.shown[-1] == '{"sessions":1,"completed":1,"energy_kwh":"7.25"}'
    assert not any(alive(note["pid"]) for note in played.noted)


async def test_a_stop_during_the_preparations_shows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acts: dict[str, str]
) -> None:
    async with FakeWorkerWeb() as web:
        played = await rehearsal(tmp_path, web, monkeypatch, acts)
        played.stop.set()
        with pytest.raises(StoppedError):
            await played.play(None)

    assert played.shown == []


@pytest.mark.parametrize("name", ["topics", "load", "worker", "replay", "simulate"])
async def test_a_program_that_fails_ends_the_demo_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acts: dict[str, str], name: str
) -> None:
    acts[name] = "fail"
    async with FakeWorkerWeb() as web:
        played = await rehearsal(tmp_path, web, monkeypatch, acts)
        with pytest.raises(CommandError) as failed:
            await played.play(20)

    assert f"the {name} ended unexpectedly, with exit code 3" in str(failed.value)
    assert "the reason in the log" in str(failed.value)
    assert not any(alive(note["pid"]) for note in played.noted)


async def test_a_service_that_ends_in_order_while_it_is_needed_is_a_failure_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acts: dict[str, str]
) -> None:
    acts["simulate"] = "end"
    async with FakeWorkerWeb() as web:
        played = await rehearsal(tmp_path, web, monkeypatch, acts)
        with pytest.raises(CommandError, match="the simulate ended unexpectedly, with exit code 0"):
            await played.play(20)


async def test_what_is_not_applied_in_time_is_said_and_not_summed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acts: dict[str, str]
) -> None:
    async with FakeWorkerWeb() as web:
        played = await rehearsal(tmp_path, web, monkeypatch, acts)
        with pytest.raises(CommandError, match="not everything was applied within"):
            await played.play(1, applied=False)

    assert not played.shown[-1].startswith("{")
