"""The files that commands are given."""

from __future__ import annotations

import sys
from pathlib import Path

from evcharge.errors import CommandError


def read_input(file: str) -> tuple[str, bytes]:
    """Return what a file is called in messages, and its content; `-` is standard input.

    Raises:
        CommandError: it cannot be read.
    """
    try:
        if file == "-":
            return "standard input", sys.stdin.buffer.read()
        return file, Path(file).read_bytes()
    except OSError as problem:
        raise CommandError(f"{file} cannot be read: {problem.strerror or problem}") from None
