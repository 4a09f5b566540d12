"""The traps of the torture: each point is there, and a trap snaps once, at the right pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.torture.points import POINTS, Trap, Traps, _wrapped, _wrapped_async


@pytest.mark.parametrize("point", POINTS)
def test_every_point_is_still_a_method(point: str) -> None:
    owner, method = POINTS[point]

    assert callable(getattr(owner, method, None)), f"{owner.__name__}.{method} has moved"


def test_a_trap_reads_as_it_is_written() -> None:
    for trap in (Trap("store", "before", 3, "kill"), Trap("send", "during", 1, "freeze", True)):
        assert Trap.parse(str(trap)) == trap


class Snapped(Traps):
    """Traps that note where they snap instead of doing harm."""

    def __init__(self, file: Path, seen: list[str]) -> None:
        super().__init__(file)
        self._seen = seen

    def snap(self) -> None:
        self._trap = None
        self._seen.append("snap")


async def passes(tmp_path: Path, trap: Trap, times: int) -> list[str]:
    file = tmp_path / "trap"
    file.write_text(str(trap))
    seen: list[str] = []
    traps = Snapped(file, seen)
    traps.set()

    async def step() -> Any:
        seen.append("step")

    wrapped = _wrapped_async(step, "store", traps)
    plain = _wrapped(lambda: seen.append("plain"), "write", traps)
    for _ in range(times):
        plain()
        await wrapped()
    return [each for each in seen if each != "plain"]


async def test_a_trap_snaps_once_before_or_after_the_pass_that_it_names(tmp_path: Path) -> None:
    before = await passes(tmp_path, Trap("store", "before", 2, "kill"), 3)
    after = await passes(tmp_path, Trap("store", "after", 2, "kill"), 3)

    assert before == ["step", "snap", "step", "step"]
    assert after == ["step", "step", "snap", "step"]


async def test_a_trap_that_was_taken_away_does_not_snap(tmp_path: Path) -> None:
    file = tmp_path / "trap"
    file.write_text(str(Trap("store", "before", 1, "kill")))
    traps = Traps(file)
    traps.set()
    traps.set()

    assert not traps.passing("store", "before")


def test_a_trap_of_bills_waits_until_one_was_written(tmp_path: Path) -> None:
    file = tmp_path / "trap"
    file.write_text(str(Trap("store", "before", 1, "kill", of_bills=True)))
    traps = Traps(file)
    traps.set()

    assert not traps.passing("store", "before")
    assert not traps.passing("post", "before")
    assert traps.passing("store", "before")
