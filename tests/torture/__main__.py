"""``make torture``: everything that can happen to a worker or a broker, at once and repeatedly.

``TORTURE_SEED`` repeats the choices of a run (drawn if absent), ``TORTURE_SECONDS`` bounds it (600),
``TORTURE_DIR`` keeps journal and logs there. Exits with 1 at the first difference, having said what
differs and where the logs are.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from tests.torture.run import torture


def main() -> int:
    """Run, report, and return the exit code."""
    seed = int(os.environ.get("TORTURE_SEED") or random.randrange(1 << 32))
    seconds = float(os.environ.get("TORTURE_SECONDS") or 600)
    kept = os.environ.get("TORTURE_DIR")
    directory = Path(kept or tempfile.mkdtemp(prefix="evcharge-torture-"))
    directory.mkdir(parents=True, exist_ok=True)
    # While brokers are away, the clients that load and look would say so thousands of times a second.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        asyncio.run(torture(seed, seconds, directory))
    except BaseException as problem:  # noqa: BLE001 - whatever it is, the logs are needed
        if not isinstance(problem, AssertionError):
            traceback.print_exc()
        sys.stderr.write(
            f"torture: {problem!r}\n"
            f"torture: repeat it with TORTURE_SEED={seed}; journal and logs are in {directory}\n"
        )
        return 1
    if kept is None:
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
