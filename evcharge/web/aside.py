"""Work that takes long, beside the event loop: the worker's lane goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Aside:
    """Such work shares the worker with its lane, so it never takes more than one thread."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(1)

    async def do(self, work: Callable[[], T]) -> T:
        """Do something in a thread, once nothing else is done so, and return what it returns."""
        async with self._free:
            return await asyncio.to_thread(work)
