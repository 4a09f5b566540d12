"""The reference documents that are generated from the code, so that they cannot contradict it.

`GENERATED` is the roster: file name in ``docs/`` and the function that returns its text. ``make docs``
writes them; ``tests/test_documents.py`` asserts that the committed ones are current.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from evcharge.documents.asyncapi import text as asyncapi
from evcharge.documents.openapi import text as openapi
from evcharge.documents.sessions import text as sessions
from evcharge.documents.settings import text as settings
from evcharge.documents.workplace import text as workplace

GENERATED: Mapping[str, Callable[[], str]] = {
    "settings.md": settings,
    "sessions.md": sessions,
    "workplace.md": workplace,
    "asyncapi.json": asyncapi,
    "openapi.json": openapi,
}


def write(directory: Path) -> list[Path]:
    """Write every document into the directory and return the files whose text changed."""
    changed = []
    for name, generate in GENERATED.items():
        file, text = directory / name, generate()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            changed.append(file)
    return changed
