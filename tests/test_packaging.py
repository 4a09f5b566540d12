"""What runs evcharge elsewhere: the locked requirements, the image, the compose file, CI.

No container is started here (Docker is not on every machine): the files are read.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from evcharge.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {name: ROOT / "requirements" / name for name in ("run.txt", "dev.txt", "bench.txt")}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Return package -> (version, hashes) of a requirements file."""
    text = LOCKS[lock].read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if line and not line.lstrip().startswith("#"):
            pinned = re.match(r"([a-z0-9._-]+)==(\S+)", line)
            assert pinned, f"{lock}: not a pinned version: {line[:80]}"
            found[pinned[1]] = (pinned[2], re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
    return found


def normal(requirement: str) -> str:
    """Return the package name of a requirement as lock files spell it."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    parsed: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
        (ROOT / "compose.yaml").read_text(encoding="utf-8")
    )
    return parsed["services"]


# ---- requirements


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_version_and_hashes(lock: str) -> None:
    locked = pins(lock)

    assert locked
    assert [name for name, (_, hashes) in locked.items() if not hashes] == []


def test_both_locks_agree_on_every_version() -> None:
    run, dev = pins("run.txt"), pins("dev.txt")

    assert {name: dev.get(name) for name in run} == run


def test_the_locks_contain_everything_that_the_project_asks_for(project: dict[str, Any]) -> None:
    asked = [normal(each) for each in project["project"]["dependencies"]]
    groups = dict(project["dependency-groups"])
    peers = [normal(each) for each in groups.pop("bench")]
    tools = [normal(each) for name in groups for each in groups[name] if isinstance(each, str)]

    assert set(asked) <= set(pins("run.txt"))
    assert set(asked) | set(tools) <= set(pins("dev.txt"))
    assert set(peers) <= set(pins("bench.txt"))


def test_the_peers_of_the_benchmark_stay_out_of_our_own_environment() -> None:
    assert "quixstreams" not in pins("dev.txt")


@pytest.mark.parametrize("clashing", ["tables", "agents", "openai-agents"])
def test_no_package_takes_the_names_of_our_own(clashing: str) -> None:
    assert clashing not in pins("dev.txt")


def test_faust_is_new_enough_to_rebalance(project: dict[str, Any]) -> None:
    version = tuple(int(part) for part in pins("run.txt")["faust-streaming"][0].split(".")[:3])

    assert version >= (0, 15, 2)


def test_the_project_is_not_a_distribution(project: dict[str, Any]) -> None:
    assert "build-system" not in project
    assert project["tool"]["uv"]["package"] is False


# ---- the image


def test_the_image_installs_only_locked_bytes() -> None:
    installs = re.findall(r"^RUN .*pip install.*$", DOCKERFILE, re.MULTILINE)

    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "--no-deps" in installs[0]
    assert "requirements/run.txt" in DOCKERFILE


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)

    assert users == ["10001"]
    assert DOCKERFILE.index("\nUSER ") > DOCKERFILE.rindex("\nRUN ")


def test_the_image_runs_the_worker_without_a_shell() -> None:
    assert 'ENTRYPOINT ["faust", "-A", "evcharge"]' in DOCKERFILE
    assert 'CMD ["worker", "-l", "info"]' in DOCKERFILE
    assert "STOPSIGNAL SIGTERM" in DOCKERFILE


def test_the_image_finds_agents_and_tables_in_its_checkout() -> None:
    assert "WORKDIR /app" in DOCKERFILE
    assert "PYTHONPATH=/app" in DOCKERFILE


def test_the_image_is_asked_for_its_health() -> None:
    assert re.search(r"^HEALTHCHECK [^\n]*\\\n\s+CMD \[.*/healthz", DOCKERFILE, re.MULTILINE)


def test_the_settings_of_the_image_are_settings() -> None:
    known = {PREFIX + name.upper() for name in Settings.__slots__}

    assert set(re.findall(r"EVCHARGE_[A-Z_]+(?==)", DOCKERFILE)) <= known


def test_the_volume_of_the_image_is_the_data_directory_and_is_its_users() -> None:
    assert "EVCHARGE_DATA_DIR=/var/lib/evcharge" in DOCKERFILE
    assert "VOLUME /var/lib/evcharge" in DOCKERFILE
    assert re.search(r"install -d -o evcharge .*/var/lib/evcharge", DOCKERFILE)


def test_the_image_gets_nothing_that_is_not_let_in() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    let_in = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]

    assert rules[0] == "*"
    assert {"evcharge", "agents", "tables", "requirements/run.txt"} <= set(let_in)
    assert [name for name in let_in if not (ROOT / name).exists()] == []


# ---- compose


def workers(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: each for name, each in services.items() if name.startswith("worker-")}


def test_compose_runs_two_workers_that_share_nothing_but_kafka(
    services: dict[str, dict[str, Any]],
) -> None:
    two = workers(services).values()

    assert len(two) == 2
    for own in ("EVCHARGE_INSTANCE_ID", "EVCHARGE_PUBLIC_URL"):
        assert len({each["environment"][own] for each in two}) == 2, own
    assert len({tuple(each["volumes"]) for each in two}) == 2
    assert len({tuple(each["ports"]) for each in two}) == 2


def test_each_worker_is_reached_under_the_name_of_its_service(
    services: dict[str, dict[str, Any]],
) -> None:
    for name, worker in workers(services).items():
        assert worker["environment"]["EVCHARGE_PUBLIC_URL"] == f"http://{name}:6066"


def test_the_data_of_each_worker_is_a_volume_of_its_own(
    services: dict[str, dict[str, Any]],
) -> None:
    for name, worker in workers(services).items():
        assert worker["volumes"] == [f"{name}:/var/lib/evcharge"]


def test_the_environments_of_compose_are_valid_settings(
    services: dict[str, dict[str, Any]],
) -> None:
    known = {PREFIX + name.upper() for name in Settings.__slots__}
    ours = [each for each in services.values() if "build" in each]

    assert len(ours) >= 4
    for service in ours:
        assert set(service["environment"]) <= known
        settings = Settings.from_env(service["environment"])
        assert settings.bootstrap == ["kafka:9092"]


def test_published_ports_are_this_machines_only(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for each in services.values() for port in each.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    hosts = [port.rsplit(":", 1)[0] for port in ports]
    assert len(set(hosts)) == len(hosts)


def test_kafka_is_the_release_that_the_embedded_broker_runs(
    services: dict[str, dict[str, Any]],
) -> None:
    lock = (ROOT / "evcharge" / "broker" / "jars.lock.json").read_text(encoding="utf-8")
    embedded = re.search(r"org\.apache\.kafka:kafka_2\.13:([0-9.]+)", lock)

    assert embedded
    assert services["kafka"]["image"] == f"apache/kafka:{embedded[1]}"


def test_nothing_but_evcharge_creates_topics(services: dict[str, dict[str, Any]]) -> None:
    assert services["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_the_application_cannot_write_but_to_its_volume(
    services: dict[str, dict[str, Any]],
) -> None:
    for service in services.values():
        if "build" in service:
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]


def test_the_files_that_compose_loads_are_in_the_image(
    services: dict[str, dict[str, Any]],
) -> None:
    files = [
        word
        for each in services.values()
        for word in each.get("command", [])
        if "/" in word or word.endswith(".json")
    ]

    assert files
    assert [name for name in files if not (ROOT / name).is_file()] == []


# ---- make and CI


def test_ci_is_a_script_that_runs_the_check_and_the_readmes_test_command() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert re.search(r"^make check$", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert re.search(r"^make test$", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_python_that_is_too_old_is_named_in_one_sentence(tmp_path: Path) -> None:
    # given a checkout without a virtual environment, and a Python that calls itself too old
    (tmp_path / "requirements").mkdir()
    for name in ("Makefile", "requirements/dev.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    # when it is to be used
    ran = subprocess.run(
        ["make", "setup", f"PYTHON={old}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # then the reason is one sentence, and nothing was made
    assert ran.returncode != 0
    assert f"PYTHON={old} is not a Python 3.11 or newer." in ran.stderr
    assert not (tmp_path / ".venv").exists()
