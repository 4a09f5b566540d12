"""What happened in a torture run: one line for each action, with the time since its start."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path


class Journal:
    """Writes to a file and to standard output, and counts the actions."""

    def __init__(self, file: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._began = time.monotonic()
        self._file = file

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        line = f"{self.elapsed_s:8.2f}  {text}\n"
        with self._file.open("a") as file:
            file.write(line)
        sys.stdout.write(line)
        sys.stdout.flush()

    def did(self, action: str, detail: str = "") -> None:
        """Note an action; its name is what is counted."""
        self.counts[action] += 1
        self.say(f"{action} {detail}".rstrip())

    def summary(self) -> str:
        return ", ".join(f"{count} x {action}" for action, count in sorted(self.counts.items()))
