"""`python -m bench.page`: writes the figures of the last run into docs/performance.md.

What stands between two marks there is made from bench/result.json, bench/machine.json and
bench/profile.json; no figure on the page is typed by hand.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from bench.result import as_markdown

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"


def filled(page: str, blocks: dict[str, str]) -> str:
    """Return the page with the text between the marks of each block replaced."""
    for name, text in blocks.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        places = list(marked.finditer(page))
        if len(places) != 1:
            raise ValueError(f"the page has {len(places)} places for {name}, not one")
        place = places[0]
        page = f"{page[: place.start()]}{place[1]}{text}\n{place[2]}{page[place.end() :]}"
    return page


def machine_table(machine: dict[str, str]) -> str:
    """Return where and when it was measured."""
    rows = "".join(f"\n| {name} | {value} |" for name, value in machine.items())
    return f"| | |\n| --- | --- |{rows}"


def profile_table(profile: dict[str, float]) -> str:
    """Return where the time goes; rooms below a hundredth of all stand together."""
    whole = sum(profile.values())
    large = {room: spent for room, spent in profile.items() if spent >= whole / 100}
    rows = [*large.items(), ("everything else", whole - sum(large.values())), ("**sum**", whole)]
    lines = "".join(f"\n| {room} | {spent:.2f} | {spent / whole:.0%} |" for room, spent in rows)
    return f"| room or library | µs per event | share |\n| --- | --- | --- |{lines}"


def blocks() -> dict[str, str]:
    """Return what there is to fill in: after a profile alone, only that."""
    made = {
        "figures": ("result.json", as_markdown),
        "machine": ("machine.json", machine_table),
        "profile": ("profile.json", profile_table),
    }
    texts: dict[str, str] = {}
    for name, (file, shape) in made.items():
        if (path := HERE / file).exists():
            content: Any = json.loads(path.read_text(encoding="utf-8"))
            texts[name] = shape(content)  # type: ignore[operator]
    return texts


if __name__ == "__main__":
    texts = blocks()
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), texts), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {', '.join(texts) or 'nothing'} written\n")
