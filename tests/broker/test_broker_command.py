"""The ``broker`` command from outside: output, exit codes, and what survives a ``kill -9``."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from evcharge.broker.ports import free_port
from evcharge.broker.probe import ask
from tests.broker.command_process import BrokerCommand
from tests.broker.kafka_client import consume, create_topic, produce
from tests.eventually import eventually

pytestmark = pytest.mark.broker

Start = Callable[..., BrokerCommand]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_its_output_is_the_address_alone_and_a_signal_ends_it_in_order(
    number: signal.Signals, broker_command: Start
) -> None:
    command = broker_command("--port", 0)
    line = command.first_line()
    assert re.fullmatch(r"127\.0\.0\.1:\d+", line)
    assert ask(int(line.split(":")[1]), timeout=5) is not None
    assert command.end(number) == (0, "")


def test_a_signal_during_the_start_ends_it_too(broker_command: Start, tmp_path: Path) -> None:
    command = broker_command("--port", 0, "--data", tmp_path / "data")
    log = tmp_path / "data" / "node-1" / "logs" / "server.log"
    eventually(lambda: log.exists() or command.process.poll() is not None)
    assert command.process.poll() is None
    assert command.end(signal.SIGTERM) == (0, "")


async def test_records_survive_a_kill_and_the_same_port_works_again(
    broker_command: Start, tmp_path: Path
) -> None:
    port = free_port()
    first = broker_command("--port", port, "--data", tmp_path / "data")
    address = first.first_line()
    await create_topic(address, "kept")
    await produce(address, "kept", [b"before the kill"])
    first.process.kill()
    second = broker_command("--port", port, "--data", tmp_path / "data")
    assert second.first_line() == address
    assert await consume(address, "kept", 1) == [b"before the kill"]


def test_a_busy_port_is_one_sentence(broker_command: Start) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        port = server.getsockname()[1]
        command = broker_command("--port", port)
        assert command.exit_code() == 1
    assert command.first_line() == ""
    assert command.errors().splitlines()[-1] == (
        f"evcharge: port {port} on 127.0.0.1 is already in use: "
        "stop what listens there or choose another with --port"
    )


def test_a_second_start_on_the_same_data_is_one_sentence(
    broker_command: Start, tmp_path: Path
) -> None:
    first = broker_command("--port", 0, "--data", tmp_path / "data")
    assert first.first_line()
    second = broker_command("--port", 0, "--data", tmp_path / "data")
    assert second.exit_code() == 1
    assert second.errors().splitlines()[-1] == (
        f"evcharge: the data directory {tmp_path / 'data'} is in use by another broker "
        f"(process {first.process.pid}): stop that one or choose another directory with --data"
    )
    assert first.process.poll() is None


def test_it_ends_with_a_sentence_when_its_kafka_dies(broker_command: Start, tmp_path: Path) -> None:
    command = broker_command("--port", 0, "--data", tmp_path / "data")
    assert command.first_line()
    properties = str(tmp_path / "data" / "node-1" / "server.properties")
    kill_java(properties)
    assert command.exit_code() == 1
    assert "Kafka node 1 ended" in command.errors().splitlines()[-1]


def kill_java(argument: str) -> None:
    """Kill the process that has this very argument, found as ``ps`` finds it."""
    listed = subprocess.run(
        ["ps", "-wweo", "pid=,args="], capture_output=True, text=True, check=True
    )
    # The node's guard is a shell with the same arguments.
    (pid,) = [
        int(line.split()[0])
        for line in listed.stdout.splitlines()
        if line.endswith(argument) and "/bin/sh" not in line
    ]
    os.kill(pid, signal.SIGKILL)
