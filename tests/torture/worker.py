"""``python -m tests.torture.worker worker``: the program, able to hurt itself at a chosen step.

A trap (``points.py``) is read from the file that ``TORTURE_TRAP`` names: at the start, and whenever
SIGURG comes (Faust has uses of its own for the usual ones).
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import evcharge
from tests.torture.points import Traps, install

if __name__ == "__main__":
    traps = Traps(Path(os.environ["TORTURE_TRAP"]))
    install(traps)
    traps.set()
    signal.signal(signal.SIGURG, traps.set)
    evcharge.app.main()
