"""The steps of a chunk's way at which a worker can be made to stop or to die.

The product has no hooks: :func:`install` puts a wrapper around each of these methods in the test
worker's own process. ``tests/torture/test_points.py`` fails when one of them is not there any more.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from evcharge.billing.books import OpenBooks
from evcharge.billing.ledger import Entry, Ledger
from evcharge.engine.consumer import ChunkConsumer
from evcharge.engine.consumer_driver import ConsumerDriver
from evcharge.engine.lane import Lane
from evcharge.kafka.appends import Appends
from evcharge.kafka.fenced_writer import FencedWriter
from evcharge.kafka.wire import Wire
from evcharge.storage.rocks_partition import RocksPartition

POINTS: dict[str, tuple[type, str]] = {
    "deliver": (ChunkConsumer, "_deliver"),
    "bill": (OpenBooks, "write"),
    "number": (Ledger, "entry"),
    "post": (Entry, "post"),
    "compute": (Lane, "finish"),
    "write": (FencedWriter, "write"),
    "coordinate": (Wire, "coordinate"),
    "send": (Wire, "send"),
    "append": (Appends, "append"),
    "append-in-transaction": (Appends, "append_in_transaction"),
    "store": (RocksPartition, "write"),
    "acknowledge": (ChunkConsumer, "ack"),
    "commit": (ConsumerDriver, "commit"),
    "take-over": (FencedWriter, "take_over"),
}
"""In the order in which a chunk passes them; the last one is of a rebalance.

``bill``, ``number`` and ``post`` are only passed by chunks that bill.
"""

BILLING = "post"
"""Where a chunk is known to have written a bill."""

MOMENTS = ("before", "during", "after")

SIGNALS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}

SOON_S = 0.002
"""How long into a step ``during`` is: about a request's way to the broker and back."""


@dataclass(frozen=True, slots=True)
class Trap:
    """Where and how a worker hurts itself."""

    point: str
    moment: str
    passes: int
    """The how manieth time that the point is passed."""
    harm: str
    of_bills: bool = False
    """Whether only what follows a bill counts: the steps behind the one that wrote it."""

    def __str__(self) -> str:
        which = "bills" if self.of_bills else "any"
        return f"{self.harm}:{self.point}:{self.moment}:{self.passes}:{which}"

    @classmethod
    def parse(cls, text: str) -> Self:
        harm, point, moment, passes, which = text.split(":")
        return cls(point, moment, int(passes), harm, which == "bills")


class Traps:
    """The trap that is set in this process, if any."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._trap: Trap | None = None
        self._left = 0
        self._billed = False

    def set(self, *_: object) -> None:
        """Read the file for a new trap, without one there is none (also as a signal handler)."""
        self._trap = None
        self._billed = False
        if self._file.exists():
            self._trap = Trap.parse(self._file.read_text())
            self._left = self._trap.passes
            self._file.unlink()

    def passing(self, point: str, moment: str) -> bool:
        """Tell whether the trap snaps here and now; then it is gone."""
        trap = self._trap
        self._billed = self._billed or point == BILLING
        if trap is None or (trap.point, trap.moment) != (point, moment):
            return False
        if trap.of_bills and not self._billed:
            return False
        self._left -= 1
        return self._left == 0

    def snap(self) -> None:
        """Do the harm."""
        trap, self._trap = self._trap, None
        if trap is not None:
            os.kill(os.getpid(), SIGNALS[trap.harm])


def waits(point: str) -> bool:
    """Tell whether something can happen during a step."""
    owner, name = POINTS[point]
    return inspect.iscoroutinefunction(getattr(owner, name))


def install(traps: Traps) -> None:
    """Put the traps' wrapper around every point."""
    for point, (owner, name) in POINTS.items():
        method = getattr(owner, name)
        wrapped = _wrapped_async if waits(point) else _wrapped
        setattr(owner, name, wrapped(method, point, traps))


def _wrapped(method: Callable[..., Any], point: str, traps: Traps) -> Callable[..., Any]:
    @functools.wraps(method)
    def passed(*args: Any, **kwargs: Any) -> Any:
        if traps.passing(point, "before"):
            traps.snap()
        result = method(*args, **kwargs)
        if traps.passing(point, "after"):
            traps.snap()
        return result

    return passed


def _wrapped_async(method: Callable[..., Any], point: str, traps: Traps) -> Callable[..., Any]:
    @functools.wraps(method)
    async def passed(*args: Any, **kwargs: Any) -> Any:
        if traps.passing(point, "before"):
            traps.snap()
        if traps.passing(point, "during"):
            asyncio.get_running_loop().call_later(SOON_S, traps.snap)
        result = await method(*args, **kwargs)
        if traps.passing(point, "after"):
            traps.snap()
        return result

    return passed
