"""Which interpreter the benchmark runs Python programs in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.fastest_python import candidates, fastest, seconds_of

VERSION = sys.version_info[:2]
OURS, OTHER, THIRD = Path("/ours"), Path("/other"), Path("/third")


def test_an_interpreter_that_is_clearly_faster_is_taken() -> None:
    assert fastest({OURS: 1.0, OTHER: 0.7, THIRD: 0.8}, [OURS, OTHER, THIRD]) == OTHER


def test_our_own_is_kept_where_another_is_hardly_faster() -> None:
    assert fastest({OURS: 1.0, OTHER: 0.97}, [OURS, OTHER]) == OURS


def test_one_that_could_not_be_measured_is_left_out() -> None:
    assert fastest({OTHER: 3.0}, [OURS, OTHER]) == OTHER


def test_our_own_interpreter_comes_first_and_none_comes_twice() -> None:
    folder = str(Path(sys.base_prefix, "bin"))
    found = candidates(f"{folder}:{folder}", VERSION)
    assert found[0] == Path(folder, f"python{VERSION[0]}.{VERSION[1]}").resolve()
    assert len(found) == len(set(found))


def test_our_own_interpreter_can_be_measured() -> None:
    seconds = seconds_of(Path(sys.executable), VERSION)
    assert seconds is not None
    assert seconds > 0


def test_another_version_is_not_measured() -> None:
    assert seconds_of(Path(sys.executable), (VERSION[0], VERSION[1] + 1)) is None


@pytest.mark.parametrize("says", ["exit 1", "echo nonsense", "echo"])
def test_what_is_no_python_is_passed_over(tmp_path: Path, says: str) -> None:
    program = tmp_path / "python3"
    program.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    program.chmod(0o755)
    assert seconds_of(program, VERSION) is None
