"""The reference of the settings, from the fields of `evcharge.settings.Settings`."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

from evcharge.settings import PREFIX, Settings

_HEAD = """\
# Settings

Environment variables, read once at the start. A value that cannot be used ends the program with exit
code 2 and a sentence that names the variable and what was expected.

Generated from `evcharge/settings/` by `make docs`.

| variable | default | meaning |
|---|---|---|
"""


def text() -> str:
    """Return ``settings.md``."""
    rows = (
        f"| `{PREFIX}{field.name.upper()}` | {_default(field)} | {field.metadata['help']} |\n"
        for field in fields(Settings)
    )
    return _HEAD + "".join(rows)


def _default(field: Field[Any]) -> str:
    # A default that is computed (the host name) would differ between machines: its help says it.
    if field.default is MISSING:
        return "computed"
    if field.default is None or field.default == "":
        return "none"
    if isinstance(field.default, bool):
        return "`on`" if field.default else "`off`"
    return f"`{field.default}`"
