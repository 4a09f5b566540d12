"""Which room of the code may import which: the arrows of the architecture, all one way."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(
    file for top in ("evcharge", "agents", "tables") for file in (ROOT / top).rglob("*.py")
)

ARROWS: dict[str, set[str]] = {
    "evcharge": set(),  # the version
    "errors": set(),
    "domain": set(),
    "settings": {"errors"},
    "events": {"domain"},
    "kafka": {"domain", "errors", "settings"},
    "storage": {"domain", "errors", "settings"},
    "broker": {"errors"},
    "simulation": {"domain"},
    "replay": {"domain", "errors", "events"},
    "topics": {"errors", "kafka", "settings"},
    "tables": {"domain", "storage"},
    "engine": {"domain", "errors", "events", "kafka", "storage"},
    "billing": {"domain", "engine", "events", "settings", "tables"},
    "reference": {"domain", "errors", "events", "kafka", "settings", "storage", "topics"},
    "dead_letters": {"engine", "errors", "events", "kafka", "settings", "topics"},
    "application": {
        *("dead_letters", "domain", "engine", "errors", "kafka", "reference", "settings", "topics"),
    },
    "verification": {
        *("domain", "errors", "events", "kafka", "reference", "settings", "storage", "tables"),
        "topics",
    },
    "past_bills": {
        *("domain", "errors", "events", "kafka", "settings", "topics", "verification"),
    },
    "agents": {"application", "billing", "domain", "engine", "events", "tables"},
    "web": {
        *("application", "domain", "engine", "errors", "events", "evcharge", "kafka", "settings"),
        *("storage", "tables"),
    },
    "commands": {
        *("broker", "dead_letters", "domain", "errors", "events", "kafka", "past_bills"),
        *("reference", "replay", "settings", "simulation", "topics", "verification"),
    },
    "worker": {
        *("agents", "application", "billing", "commands", "domain", "errors", "settings", "tables"),
        "web",
    },
    "__main__": {"evcharge"},
    "testing": {"engine", "kafka", "reference", "settings", "web", "worker"},
    "documents": {
        *("dead_letters", "domain", "events", "evcharge", "replay", "settings", "topics", "web"),
    },
    "demo": {"broker", "commands", "domain", "errors", "replay", "settings", "topics"},
}
"""Which rooms a room may import, from the ground up: only rooms above its own line."""

EXCEPTIONS = {
    # `evcharge.app` is built on first use, so that the rules load without Faust.
    ("evcharge", "worker"),
    ("evcharge", "application"),
    # Faust hands its parts the application; only its type is imported, and only by type checkers.
    ("engine", "application"),
}
"""(room, room) that no arrow stands for."""


def room_of(file: Path) -> str:
    """Return the folder or file below `evcharge` that a file is in or is, or its package."""
    top, *within = file.relative_to(ROOT).with_suffix("").parts
    return within[0] if top == "evcharge" and within != ["__init__"] else top


def rooms_imported(tree: ast.Module) -> Iterator[str]:
    """Yield the rooms of ours that a module imports, also where it does so late."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            within = [f"{node.module}.{alias.name}" for alias in node.names]
            names = within if node.module == "evcharge" else [node.module or "."]
        for name in names:
            top, _, rest = name.partition(".")
            room = rest.partition(".")[0]
            if top in {"agents", "tables"}:
                yield top
            elif top == "evcharge":
                yield room if room in ARROWS else "evcharge"


def test_arrows_only_lead_towards_the_ground() -> None:
    rooms = list(ARROWS)
    against = {
        (room, wanted)
        for room, arrows in ARROWS.items()
        for wanted in arrows
        if wanted not in rooms[: rooms.index(room)]
    }

    assert against == set()


def test_a_room_imports_only_the_rooms_that_it_stands_on() -> None:
    strangers, excepted = [], set()
    for file in FILES:
        room = room_of(file)
        for wanted in rooms_imported(ast.parse(file.read_text(encoding="utf-8"))):
            if (room, wanted) in EXCEPTIONS:
                excepted.add((room, wanted))
            elif wanted != room and wanted not in ARROWS[room]:
                strangers.append(f"{file.relative_to(ROOT)} imports {wanted}")

    assert strangers == []
    assert excepted == EXCEPTIONS, "an exception that is not needed any more"


def test_only_type_checkers_see_that_the_engine_knows_the_application() -> None:
    for file in (each for each in FILES if room_of(each) == "engine"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in tree.body:
            for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            assert for_types or "application" not in rooms_imported(
                ast.Module([node], type_ignores=[])
            ), file.name


def test_the_checker_loads_nothing_of_the_engine_that_it_checks() -> None:
    code = (
        "import sys, evcharge.verification\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('faust', 'agents')"
        " or m.startswith('evcharge.engine')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == "[]"
