"""On what machine, of which program, and when a result was measured."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from evcharge.broker.jars import KAFKA_LOCK_FILE, JarSet
from evcharge.broker.java import find_java

ROOT = Path(__file__).resolve().parent.parent


def record(began: float, load_before: float, *, full: bool) -> dict[str, str]:
    """Return everything that a reader of the figures asks for, as texts."""
    return {
        "measured": datetime.fromtimestamp(began, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "duration": f"{(time.time() - began) / 60:.0f} min",
        "sizes": "full (BENCH_FULL=1)" if full else "default",
        "commit": _commit(),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{_memory_gb():.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}, the fastest build here",
        "Java": str(find_java().major),
        "Kafka": JarSet.load(KAFKA_LOCK_FILE).name.removeprefix("kafka-"),
        "Faust": version("faust-streaming"),
        "load average before": f"{load_before:.1f}",
    }


def _commit() -> str:
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
