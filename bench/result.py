"""A figure of the table, `result.json`, and how both are shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.statistics import Spread

Number = float | None


@dataclass(frozen=True)
class Figure:
    """One figure; without a target there is nothing to miss, and without a value it was missed."""

    name: str
    value: Number
    unit: str
    target: str | None = None
    met: bool = True
    spread: Spread | None = None
    """Where it was measured several times; `value` is the median."""

    def as_json(self) -> dict[str, Any]:
        """Return the contract's members, and the spread where there is one."""
        members: dict[str, Any] = {
            "name": self.name,
            "value": rounded(self.value),
            "unit": self.unit,
            "target": self.target,
            "met": self.met,
        }
        if self.spread is not None:
            members |= {
                "min": rounded(self.spread.least),
                "max": rounded(self.spread.most),
                "runs": self.spread.runs,
            }
        return members


def at_least(name: str, measured: float | Spread, unit: str, bound: float) -> Figure:
    """Return a figure that must reach a bound."""
    value, spread = _split(measured)
    return Figure(name, value, unit, f">= {bound:g}", value >= bound, spread)


def at_most(name: str, measured: float | Spread, unit: str, bound: float) -> Figure:
    """Return a figure that must not exceed a bound."""
    value, spread = _split(measured)
    return Figure(name, value, unit, f"<= {bound:g}", value <= bound, spread)


def shown(name: str, measured: float | Spread, unit: str) -> Figure:
    """Return a figure that is told for comparison only."""
    value, spread = _split(measured)
    return Figure(name, value, unit, spread=spread)


def missing(name: str) -> Figure:
    """Return what stands for figures that could not be measured."""
    return Figure(name, None, "", "measured", met=False)


def _split(measured: float | Spread) -> tuple[float, Spread | None]:
    if isinstance(measured, Spread):
        return measured.median, measured if measured.runs > 1 else None
    return measured, None


def rounded(value: Number) -> Number:
    """Return four significant digits: more were never measured; whole numbers stay whole."""
    if value is None:
        return None
    short = float(f"{value:.4g}")
    return int(short) if short.is_integer() else short


def write(figures: Sequence[Figure], file: Path) -> None:
    """Write `result.json`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([figure.as_json() for figure in figures], indent=1, ensure_ascii=False)
    file.write_text(f"{text}\n", encoding="utf-8")


def table(results: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return the rows of a table of figures, ratios first, each as texts."""
    in_order = sorted(results, key=lambda each: each["unit"] != "x")
    return [
        (
            each["name"],
            "-" if each["value"] is None else f"{each['value']:,} {each['unit']}".strip(),
            f"{each['min']:,} to {each['max']:,}" if "min" in each else "",
            _target(each["target"]),
            "" if each["target"] is None else "met" if each["met"] else "MISSED",
        )
        for each in in_order
    ]


HEADER = ("figure", "value", "spread", "target", "")


def _target(target: str | None) -> str:
    if target is None:
        return ""
    sign, _, bound = target.partition(" ")
    try:
        return f"{sign} {float(bound):,g}" if float(bound) < 1e6 else f"{sign} {float(bound):,.0f}"
    except ValueError:
        return target


def as_text(results: Sequence[dict[str, Any]]) -> str:
    """Return the table for a terminal."""
    rows = [HEADER, *table(results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def as_markdown(results: Sequence[dict[str, Any]]) -> str:
    """Return the table for a page."""
    rows = [HEADER, tuple("---" for _ in HEADER), *table(results)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
