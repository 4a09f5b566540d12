"""Progress of a long command on standard error: a bar in a terminal, lines in a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

_REDRAW_S = 0.1
_LINE_S = 10.0
_WIDTH = 24


class Progress:
    """Shows `update`s, at most ten a second in a terminal, otherwise one line every ten seconds.

    `total` None means that nobody knows how much it will be: no bar, no remaining time.
    """

    def __init__(
        self,
        total: int | None,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._terminal = self._stream.isatty()
        self._interval = _REDRAW_S if self._terminal else _LINE_S
        self._started = clock()
        self._shown = self._started if not self._terminal else float("-inf")
        self._drawn = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    @property
    def due(self) -> bool:
        """Whether an `update` would be shown now: ask before composing an expensive text."""
        return self._clock() - self._shown >= self._interval

    def update(self, done: int, text: str, remaining_s: float | None = None) -> None:
        """Show that `done` of the total is done; `remaining_s` overrides the estimate."""
        if not self.due:
            return
        now = self._clock()
        self._shown = now
        parts = [text]
        if self._total is not None:
            fraction = min(1.0, done / self._total) if self._total else 1.0
            filled = int(fraction * _WIDTH)
            parts.insert(0, f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {fraction:4.0%}")
            if remaining_s is None and fraction > 0:
                remaining_s = (now - self._started) * (1 - fraction) / fraction
        if remaining_s is not None:
            parts.append(f"{duration(remaining_s)} left")
        self._draw("  ".join(parts))

    def clear(self) -> None:
        """Take the bar away, so that other text can follow."""
        if self._terminal and self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r")
            self._stream.flush()
            self._drawn = 0

    def _draw(self, line: str) -> None:
        if self._terminal:
            self._stream.write("\r" + line.ljust(self._drawn))
            self._drawn = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()


def duration(seconds: float) -> str:
    """Write a duration for people: `45 s`, `3 min 20 s`, `2 h 05 min`, `5 d 08 h`."""
    whole = max(0, round(seconds))
    for size, unit, below, part in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below:02d} {part}"
    return f"{whole} s"
