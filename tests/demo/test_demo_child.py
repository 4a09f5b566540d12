"""A program of the demo ends with the demo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evcharge.demo.child import Child
from tests.eventually import eventually, eventually_async
from tests.processes import alive

ROOT = Path(__file__).parents[2]
SLEEPER = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(600)"]
IGNORE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
STUBBORN = [sys.executable, "-c", IGNORE + "print('awake', flush=True); time.sleep(600)"]


async def start(tmp_path: Path, command: list[str]) -> Child:
    child = await Child.start(
        "sleeper",
        command,
        log=tmp_path / "sleeper.log",
        directory=tmp_path,
        environment=os.environ,
    )
    await eventually_async(lambda: not child.running or "awake" in child.tail())
    return child


async def test_it_runs_in_a_group_of_its_own_so_that_ctrl_c_is_not_for_it(tmp_path: Path) -> None:
    child = await start(tmp_path, SLEEPER)

    assert os.getpgid(child.pid) == child.pid != os.getpgrp()

    await child.kill()


async def test_it_ends_when_it_is_asked_and_stopping_twice_does_no_harm(tmp_path: Path) -> None:
    child = await start(tmp_path, SLEEPER)

    await child.stop()
    await child.stop()

    assert not child.running
    assert await child.wait() == -signal.SIGTERM


async def test_one_that_does_not_listen_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evcharge.demo.child._STOP_GRACE_S", 0.2)
    child = await start(tmp_path, STUBBORN)

    await child.stop()

    assert await child.wait() == -signal.SIGKILL


async def test_its_last_words_are_the_last_lines_of_its_log(tmp_path: Path) -> None:
    child = await start(tmp_path, [sys.executable, "-c", "for n in range(40): print('line', n)"])

    assert await child.wait() == 0
    assert child.tail().splitlines() == [f"line {n}" for n in range(25, 40)]


async def test_its_last_words_do_nothing_to_the_terminal(tmp_path: Path) -> None:
    child = await start(tmp_path, [sys.executable, "-c", "print('\\x1b[?25l\\x1b[31mred\\x1b[0m')"])

    assert await child.wait() == 0
    assert child.tail() == "red"


def test_it_dies_when_the_demo_is_killed(tmp_path: Path) -> None:
    # given a demo with a program
    demo = subprocess.Popen(
        [sys.executable, "-c", DEMO, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert demo.stdout is not None
    pid = int(demo.stdout.readline())
    assert alive(pid)

    # when the demo has no chance to say goodbye
    demo.kill()
    demo.communicate()

    # then the program ends all the same
    eventually(lambda: not alive(pid), patience_s=10, what="its end")


DEMO = """
import asyncio, os, sys
from pathlib import Path
from evcharge.demo.child import Child

async def main():
    child = await Child.start(
        "sleeper", [sys.executable, "-c", "import time; time.sleep(600)"],
        log=Path(sys.argv[1]) / "log", directory=Path(sys.argv[1]), environment=os.environ)
    print(child.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""
