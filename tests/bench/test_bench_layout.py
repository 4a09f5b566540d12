"""The benchmark stands beside the program: it uses the program, never the other way round."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_nothing_of_the_program_imports_the_benchmark() -> None:
    importing = [
        file.relative_to(ROOT).as_posix()
        for top in ("evcharge", "agents", "tables")
        for file in (ROOT / top).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and re.match(r"(from|import) bench\b", ast.unparse(node))
    ]

    assert importing == []


def test_it_names_its_figures() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "bench", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout

    assert "throughput, fleets, latency, view" in " ".join(told.split())


def test_it_refuses_a_figure_that_there_is_not() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "bench", "thruput"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert told.returncode == 2
    assert "there is no figure thruput" in told.stderr


@pytest.mark.parametrize("source", sorted((ROOT / "bench").rglob("*.java")), ids=lambda f: f.name)
def test_a_java_source_is_short_enough_to_be_read_in_one_go(source: Path) -> None:
    assert len(source.read_text(encoding="utf-8").splitlines()) <= 300
