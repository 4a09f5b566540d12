"""All commands of the project, in the order in which a newcomer meets them."""

from evcharge.commands.broker import Broker
from evcharge.commands.dead_letters import dead_letters
from evcharge.commands.load import Load
from evcharge.commands.price import Price
from evcharge.commands.replay import Replay
from evcharge.commands.simulate import Simulate
from evcharge.commands.topics import Topics
from evcharge.commands.verify import Verify

COMMANDS = (Broker, Topics, Load, Replay, Simulate, Price, dead_letters, Verify)
"""Faust registers a command when its class is defined."""
