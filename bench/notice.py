"""What is being done now, on standard error: one line that rewrites itself on a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self


class Notice:
    """A step of the benchmark with its duration, as a context manager."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._began = 0.0
        self._end = ""

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        if sys.stderr.isatty():
            self._write("…")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        spent = f"{time.monotonic() - self._began:.1f} s"
        self._write(f"{self._end or 'done'} ({spent})" if problem is None else f"ended ({spent})")
        sys.stderr.write("\n")

    def progress(self, count: int) -> None:
        """Show how many have been done."""
        if sys.stderr.isatty():
            self._write(f"{count:,}")

    def done(self, text: str) -> None:
        """Say what came of it; shown at the end."""
        self._end = text

    def _write(self, text: str) -> None:
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        sys.stderr.write(f"{start}  {self._text}: {text}")
        sys.stderr.flush()


def say(sentence: str) -> None:
    """Tell what a person should know, in a line of its own."""
    sys.stderr.write(f"  {sentence}\n")
    sys.stderr.flush()
