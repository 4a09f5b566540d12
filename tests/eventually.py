"""Waiting for what happens elsewhere: a condition is looked at until it holds, for so long at most."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE_S = 60.0
_LOOK_S = 0.02


def eventually(look: Callable[[], Any], *, patience_s: float = PATIENCE_S, what: str = "it") -> Any:
    """Return the first true value of ``look``; fails if none comes in time."""
    deadline = time.monotonic() + patience_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what} did not happen within {patience_s} s"
        time.sleep(_LOOK_S)
    return seen


async def eventually_async(
    look: Callable[[], Awaitable[Any] | Any], *, patience_s: float = PATIENCE_S, what: str = "it"
) -> Any:
    """Do the same without holding up the event loop; ``look`` may be a coroutine function."""
    deadline = time.monotonic() + patience_s
    while True:
        seen = look()
        if inspect.isawaitable(seen):
            seen = await seen
        if seen:
            return seen
        assert time.monotonic() < deadline, f"{what} did not happen within {patience_s} s"
        await asyncio.sleep(_LOOK_S)
