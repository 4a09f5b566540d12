"""Stores whose process was killed: files copied from under a live one are of several moments."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from signal import SIGKILL

from evcharge.storage.rocks_partition import RocksPartition


def kill_after(work: Callable[[RocksPartition], None], directory: Path) -> None:
    """Leave what is left of a store when the process that worked on it is killed."""
    process = get_context("spawn").Process(target=_work_and_die, args=(work, directory))
    process.start()
    process.join()
    assert process.exitcode == -SIGKILL


def _work_and_die(work: Callable[[RocksPartition], None], directory: Path) -> None:
    work(RocksPartition(directory))
    os.kill(os.getpid(), SIGKILL)
