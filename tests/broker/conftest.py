"""A running ``broker`` command as a fixture."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.broker.command_process import BrokerCommand


@pytest.fixture
def broker_command(tmp_path: Path) -> Iterator[Callable[..., BrokerCommand]]:
    """Starts broker commands, and kills at the end those that the test has left running."""
    started: list[BrokerCommand] = []

    def start(*arguments: object) -> BrokerCommand:
        errors = tmp_path / f"stderr-{len(started)}"
        started.append(BrokerCommand([str(argument) for argument in arguments], errors))
        return started[-1]

    yield start
    for command in started:
        command.process.kill()
        command.process.communicate()
