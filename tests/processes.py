"""Processes of the machine, as a test looks at them from outside."""

from __future__ import annotations

import os


def alive(pid: int) -> bool:
    """Whether there is a process of this id, be it a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
