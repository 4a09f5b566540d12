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


def profile_table(profiles: dict[str, dict[str, float]]) -> str:
    """Return where the time goes, by job; rooms that take little in each stand together."""
    sums = {job: sum(spent.values()) for job, spent in profiles.items()}
    most: dict[str, float] = {}
    for job, spent in profiles.items():
        for room, each in spent.items():
            most[room] = max(most.get(room, 0), each / sums[job])
    named = [room for room, share in most.items() if share >= 1 / 100]
    head = "| room or library |" + "".join(f" {job} |" for job in profiles)
    lines = [head, "| --- |" + " --- |" * len(profiles)]
    for room in named:
        cells = "".join(f" {spent.get(room, 0):.2f} |" for spent in profiles.values())
        lines.append(f"| {room} |{cells}")
    rest = "".join(
        f" {sums[job] - sum(spent.get(room, 0) for room in named):.2f} |"
        for job, spent in profiles.items()
    )
    total = "".join(f" {each:.2f} |" for each in sums.values())
    return "\n".join([*lines, f"| everything else |{rest}", f"| **µs per event** |{total}"])


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
