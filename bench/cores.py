"""Which core runs what: Kafka and the benchmark itself on one, the program under test on another."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from evcharge.errors import CommandError


def require_cores() -> tuple[int, int]:
    """Return Kafka's core and the program's; raises CommandError where that cannot be had."""
    if not hasattr(os, "sched_getaffinity"):
        raise CommandError("the benchmark pins programs to cores, which only Linux offers")
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise CommandError("the benchmark needs two cores: one for Kafka, one for the program")
    return allowed[0], allowed[1]


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """Return the command that runs a command on one core from its very start."""
    return [sys.executable, __file__, str(core), *command]


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[1])})
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - becomes the program, with its process id
