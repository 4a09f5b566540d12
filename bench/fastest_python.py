"""`python -m bench.fastest_python`: prints which Python of this machine runs Python code fastest.

Of one version there are builds of very different speed: one compiled without optimisations (pyenv's are,
unless told otherwise) takes up to half again as long as Debian's or that of the official container
images. Java comes compiled by its makers. So all programs in Python are measured in the best build that
is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ALWAYS_LOOKED_IN = ("/usr/local/bin", "/usr/bin")

CLEARLY = 0.95
"""Another interpreter is taken only if it needs at most so much of this one's time."""

_SHORT_JOB = """
import sys, sysconfig, time, venv
def work():
    rows = {}
    for number in range(200_000):
        key = "k%d" % (number % 500)
        before = rows.get(key)
        rows[key] = (key, number, None if before is None else before[1])
times = []
for _ in range(5):
    began = time.process_time()
    work()
    times.append(time.process_time() - began)
without_gil = sysconfig.get_config_var("Py_GIL_DISABLED") or 0
print(min(times), sys.implementation.name, without_gil, *sys.version_info[:2])
"""


def candidates(search_path: str, version: tuple[int, int]) -> list[Path]:
    """Return the interpreters of a version that are installed, each once; this one comes first."""
    names = (f"python{version[0]}.{version[1]}", "python3")
    folders = [*search_path.split(os.pathsep), *ALWAYS_LOOKED_IN]
    found = [Path(folder, name) for folder in folders if folder for name in names]
    own = Path(sys.base_prefix, "bin", names[0])
    existing = (each.resolve() for each in (own, *found) if os.access(each, os.X_OK))
    return list(dict.fromkeys(existing))


def seconds_of(interpreter: Path, version: tuple[int, int]) -> float | None:
    """Return the CPU seconds of a short job, None if it is no CPython of the version with a venv."""
    try:
        said = subprocess.run(
            [str(interpreter), "-I", "-c", _SHORT_JOB],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    if said[1:] != ["cpython", "0", *map(str, version)]:
        return None
    return float(said[0])


def fastest(seconds: Mapping[Path, float], order: Iterable[Path]) -> Path:
    """Return the first in order, unless another one is clearly faster."""
    first, *others = [each for each in order if each in seconds]
    best = min(others, key=seconds.__getitem__, default=first)
    return best if seconds[best] <= CLEARLY * seconds[first] else first


def main() -> None:
    """Measure all of them and print the path of the fastest."""
    version = sys.version_info[:2]
    found = candidates(os.environ.get("PATH", ""), version)
    measured = {each: seconds_of(each, version) for each in found}
    seconds = {each: taken for each, taken in measured.items() if taken is not None}
    print(fastest(seconds, found) if seconds else sys.executable)


if __name__ == "__main__":
    main()
