"""The ``broker`` command as a child process, for tests of what the outside sees of it."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "evcharge", "broker"]
START_S = 90


class BrokerCommand:
    """The command in a process of its own; its standard error goes to a file."""

    def __init__(self, arguments: list[str], errors: Path) -> None:
        self._errors = errors
        with errors.open("wb") as stream:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments],
                stdout=subprocess.PIPE,
                stderr=stream,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                text=True,
            )

    def first_line(self) -> str:
        """The first line on standard output, without its end; empty if it ended without one."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], START_S)
        assert ready, f"nothing on standard output after {START_S} s: {self.errors()}"
        return self.process.stdout.readline().rstrip("\n")

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit code and what else was on standard output."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        return self.process.returncode, rest

    def exit_code(self) -> int:
        """Wait until it ends by itself."""
        return self.process.wait(START_S)

    def errors(self) -> str:
        """What it has said on standard error."""
        return self._errors.read_text()
