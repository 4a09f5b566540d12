"""The tree of errors that a person reads."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import evcharge
from evcharge import errors

ROOT = Path(evcharge.__file__).parent


def everything_below(error: type[Exception]) -> set[str]:
    return {error.__name__}.union(*map(everything_below, error.__subclasses__()))


def test_the_tree_in_the_documentation_names_every_error() -> None:
    for file in ROOT.rglob("*.py"):
        if "class" in (text := file.read_text(encoding="utf-8")) and "Error(" in text:
            importlib.import_module(
                ".".join(file.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(
                    ".__init__"
                )
            )
    documented = set(
        re.findall(r"^ +[│ ]*(?:[├└]── )?(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    )

    assert documented == everything_below(errors.EvchargeError)
