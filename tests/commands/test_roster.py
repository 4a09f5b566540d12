"""The roster of the project's commands."""

from __future__ import annotations

import pytest
from faust.cli.base import cli

from evcharge.commands.base import ProjectCommand
from evcharge.commands.roster import COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_each_of_the_roster_is_a_command_that_explains_itself(
    command: type[ProjectCommand],
) -> None:
    registered = cli.commands[command.__name__.lower().replace("_", "-")]
    assert registered.help
