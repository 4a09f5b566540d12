"""All commands of the project, in the order in which a newcomer meets them."""

from evcharge.commands.broker import Broker
from evcharge.commands.dead_letters import dead_letters
from evcharge.commands.load import Load
from evcharge.commands.price import Price
from evcharge.commands.replay import Replay
from evcharge.commands.rerate import Rerate
from evcharge.commands.simulate import Simulate
from evcharge.commands.topics import Topics
from evcharge.commands.verify import Verify
from evcharge.commands.what_if import what_if

COMMANDS = (
    Broker,
    Topics,
    Load,
    Replay,
    Simulate,
    Price,
    what_if,
    Rerate,
    dead_letters,
    Verify,
)
"""Faust registers a command when its class is defined."""
