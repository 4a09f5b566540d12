"""`python -m bench.sampler FILE worker …`: evcharge with a sampler that tells whose CPU time it is.

Every 2 ms of CPU a signal comes. What each thread has used since the last one, by its own clock, is put
down to the package whose code it is in: so the sum is exactly what the threads used, waiting costs
nothing, and C code counts for the Python code that called it. Several times a second the sums are kept
with the time, and at the end all are written to FILE.
"""

from __future__ import annotations

import atexit
import json
import runpy
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
EVERY_S = 0.002
KEEP_EVERY_S = 0.2

NATIVE = "native threads (RocksDB)"
LOOP = "asyncio"
ELSEWHERE = "Python itself"


class Sampler:
    """Adds up CPU seconds by package."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._used: defaultdict[str, float] = defaultdict(float)
        self._clocks: dict[int, float] = {}
        self._kept: list[tuple[float, dict[str, float]]] = []
        self._owners: dict[str, str | None] = {}

    def start(self) -> None:
        """Begin; the samples are written when the process ends in order."""
        atexit.register(self.write)
        signal.signal(signal.SIGPROF, self._sample)
        # A timer's signal must not make a system call of a library fail.
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def write(self) -> None:
        """Write what was kept."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._file.write_text(json.dumps(self._kept), encoding="utf-8")

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        frames = sys._current_frames()  # noqa: SLF001 - documented, the name notwithstanding
        for thread in threading.enumerate():
            ident = thread.ident
            if ident is None:
                continue
            try:
                clock = time.clock_gettime(time.pthread_getcpuclockid(ident))
            except OSError:
                continue  # it has just ended
            spent = clock - self._clocks.get(ident, 0.0)
            self._clocks[ident] = clock
            own = frame if thread is threading.main_thread() else frames.get(ident)
            self._used[self._owner(own)] += spent
        # It holds the frame of this call: a cycle, with all that the interrupted code has at hand.
        del frames
        now = time.time()
        if not self._kept or now - self._kept[-1][0] > KEEP_EVERY_S:
            native = time.process_time() - sum(self._clocks.values())
            self._kept.append((now, {**self._used, NATIVE: native}))

    def _owner(self, frame: FrameType | None) -> str:
        while frame is not None:
            name = frame.f_code.co_filename
            if frame.f_code.co_name == "_run_once" and name.endswith("asyncio/base_events.py"):
                # Whoever started the loop has no part in what the loop itself does.
                return LOOP
            if name not in self._owners:
                self._owners[name] = owner(name)
            if (found := self._owners[name]) is not None:
                return found
            frame = frame.f_back
        return ELSEWHERE


def owner(file: str) -> str | None:
    """Return the room of ours or the library that a source file is of; None for Python's own."""
    path = Path(file)
    if "site-packages" in path.parts:
        within = path.parts[path.parts.index("site-packages") + 1]
        return within.removesuffix(".py")
    if not path.is_relative_to(ROOT):
        return None
    top, *within_ours = path.relative_to(ROOT).with_suffix("").parts
    if top == "bench":
        return None
    return f"{top}/{within_ours[0]}" if top == "evcharge" else top


if __name__ == "__main__":
    Sampler(Path(sys.argv.pop(1))).start()
    sys.argv[0] = "evcharge"
    runpy.run_module("evcharge", run_name="__main__")
