"""The shape of the checkout: what `docs/adr/0001` and `CONTRIBUTING.md` promise about it."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = sorted((ROOT / "evcharge" / "domain").rglob("*.py"))
LONGEST_FILE = 300
LONGEST_TEST_FILE = 400
GENERATED = {"LICENSE", "docs/asyncapi.json", "docs/openapi.json", "evcharge/broker/jars.lock.json"}

FOREIGN_TO_RULES = ("faust", "mode", "aiokafka", "pydantic", "rocksdict", "aiohttp", "msgspec")
IMPURE_MODULES = {"os", "random", "secrets", "socket", "subprocess", "threading", "asyncio", "uuid"}
IMPURE_CALLS = {
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "open",
    "print",
    "input",
}


def run(
    *arguments: str, cwd: Path = ROOT, pythonpath: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run this Python outside pytest's own sys.path, as a user's shell would."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if pythonpath is not None:
        environ["PYTHONPATH"] = pythonpath
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def committed_entries() -> Iterator[Path]:
    """Return what is committed or would be, links too: neither ignored nor in a cache."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return (ROOT / name for name in listed.split("\0") if name)


def committed_files() -> Iterator[Path]:
    return (entry for entry in committed_entries() if entry.is_file())


def is_text(file: Path) -> bool:
    return b"\0" not in file.read_bytes()[:8192]


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


# ---- agents and tables are ours, whatever is installed


def test_agents_and_tables_are_the_checkouts_own() -> None:
    import agents
    import tables

    assert Path(agents.__file__ or "").parent == ROOT / "agents"
    assert Path(tables.__file__ or "").parent == ROOT / "tables"


def test_the_checkout_wins_over_installed_packages_of_the_same_names(tmp_path: Path) -> None:
    # given stand-ins for PyTables and openai-agents, earlier on the path than the checkout
    for name in ("agents", "tables"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('not ours')\n")
    # when evcharge is imported first, as the faust script and `python -m` do
    code = (
        "import sys; sys.path.append('.'); import evcharge, agents, tables; print(agents.__file__)"
    )
    ran = run("-P", "-c", code, pythonpath=str(tmp_path))
    # then the checkout's packages are found
    assert ran.returncode == 0, ran.stderr
    assert Path(ran.stdout.strip()).resolve() == ROOT / "agents" / "__init__.py"


@pytest.mark.parametrize("program", [["-m", "faust", "-A", "evcharge"], ["-m", "evcharge"]])
def test_both_programs_run_from_a_bare_checkout_and_list_our_commands(program: list[str]) -> None:
    ran = run(*program, "--help")

    assert ran.returncode == 0, ran.stderr
    for command in (
        "worker",
        "broker",
        "topics",
        "load",
        "replay",
        "simulate",
        "price",
        "dead-letters",
        "verify",
    ):
        assert re.search(rf"^\s+{command}\b", ran.stdout, re.MULTILINE), command


def test_the_faust_script_finds_our_agents() -> None:
    script = Path(sys.executable).with_name("faust")
    ran = run(str(script), "--json", "-A", "evcharge", "agents")

    assert ran.returncode == 0, ran.stderr
    assert "station-status" in ran.stdout
    assert "charging-sessions" in ran.stdout


# ---- the rules are pure


def test_importing_the_rules_loads_none_of_the_machinery() -> None:
    modules = [module_name(file) for file in DOMAIN]
    code = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(json.dumps([m for m in {FOREIGN_TO_RULES!r} if m in sys.modules]))"
    )
    ran = run("-c", code)

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == []


@pytest.mark.parametrize("file", DOMAIN, ids=module_name)
def test_a_rule_imports_only_the_standard_library_and_other_rules(file: Path) -> None:
    for name in imports(ast.parse(file.read_text(encoding="utf-8"))):
        top = name.split(".")[0]
        assert top in sys.stdlib_module_names or f"{name}.".startswith("evcharge.domain."), name
        assert top not in IMPURE_MODULES, name


@pytest.mark.parametrize("file", DOMAIN, ids=module_name)
def test_a_rule_reads_no_clock_and_does_no_input_or_output(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            # `datetime.datetime.now` and `datetime.now` alike
            called = ".".join(ast.unparse(node.func).split(".")[-2:])
            assert called not in IMPURE_CALLS, f"{file.name}:{node.lineno} calls {called}"


@pytest.mark.parametrize("package", ["events"])
def test_what_may_arrive_is_said_without_faust(package: str) -> None:
    modules = [module_name(file) for file in sorted((ROOT / "evcharge" / package).rglob("*.py"))]
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "assert 'faust' not in sys.modules and 'aiokafka' not in sys.modules"
    )
    ran = run("-c", code)

    assert ran.returncode == 0, ran.stderr


# ---- what is committed


def test_files_are_short_enough_to_be_read_in_one_go() -> None:
    long = {}
    for file in committed_files():
        name = file.relative_to(ROOT).as_posix()
        if file.suffix == ".py" and name not in GENERATED:
            lines = len(file.read_text(encoding="utf-8").splitlines())
            if lines > (LONGEST_TEST_FILE if name.startswith("tests/") else LONGEST_FILE):
                long[name] = lines

    assert long == {}


def test_nothing_that_is_committed_knows_a_machine_or_a_registry() -> None:
    told = re.compile(
        r"(?<![\w.$~}/-])/(?:home|root|work|Users)/\w"
        r"|https?://[^\s/\"'<>]*(?:pypi|pythonhosted|maven|npmjs|crates)"
        r"|(?m:^\s*(?:--(?:extra-)?index-url|--find-links)\b)"
    )
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in committed_files()
        if is_text(file)
        for match in told.finditer(file.read_text(encoding="utf-8", errors="replace"))
    ]

    assert found == []


def test_no_link_is_committed_for_it_points_into_the_machine_that_made_it() -> None:
    assert [entry.name for entry in committed_entries() if entry.is_symlink()] == []


def test_every_package_of_the_code_has_a_docstring_that_says_what_it_is_for() -> None:
    silent = [
        file.relative_to(ROOT).as_posix()
        for top in ("evcharge", "agents", "tables", "bench")
        for file in (ROOT / top).rglob("__init__.py")
        if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_no_agent_takes_or_threads_its_producer() -> None:
    """Faust acknowledges what was taken though the body raised, and does not flush such a producer."""
    for package in ("agents", "evcharge", "tables"):
        for file in (ROOT / package).rglob("*.py"):
            tree = ast.parse(file.read_text())
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    assert node.func.attr not in {"take_events", "noack_take"}, file
                    of_stream = ast.unparse(node.func.value) in {"chunks", "stream"}
                    assert not (of_stream and node.func.attr == "take"), file
                if isinstance(node, ast.keyword):
                    assert node.arg != "producer_threaded", file
