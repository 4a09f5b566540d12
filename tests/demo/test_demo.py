"""The whole demo as a user runs it, and what it makes of its environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evcharge.demo.__main__ import demo_seconds
from evcharge.errors import SettingError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("text", "seconds"), [("", None), ("60", 60.0), ("5", 5.0)])
def test_demo_seconds_are_whole_seconds_or_nothing(text: str, seconds: float | None) -> None:
    assert demo_seconds(text) == seconds


@pytest.mark.parametrize("text", ["4", "-1", "1.5", "a minute", "999999", "0"])
def test_other_demo_seconds_are_refused_by_name(text: str) -> None:
    with pytest.raises(SettingError, match=f"DEMO_SECONDS='{text}' cannot be used"):
        demo_seconds(text)


@pytest.mark.broker
def test_the_demo_shows_all_3395_sessions_and_ends_by_itself(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "evcharge.demo"],
        cwd=ROOT,
        env={**os.environ, "DEMO_SECONDS": "12", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("web http://127.0.0.1:")
    assert lines[1].startswith("broker 127.0.0.1:")
    assert json.loads(lines[-1]) == {
        "sessions": 3395,
        "completed": 3395,
        "energy_kwh": "19723.69",
    }
    assert not list(tmp_path.iterdir()), "nothing is left behind"
