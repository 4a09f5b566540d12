"""The ports of a cluster on 127.0.0.1: the ones asked for, or free ones.

A port found free can be taken by somebody else before Java binds it. Nothing can be reserved
across the start of another program, so the cluster's start tries again with other ports.
"""

import random
import socket
import time
from dataclasses import dataclass

from evcharge.broker.errors import BrokerError, PortTakenError

HOST = "127.0.0.1"

# Below the range from which Linux (32768) and macOS (49152) pick the local ports of connections.
# In that range a client that keeps trying to reach a killed broker can end up connected to
# itself, which takes the port and keeps the broker from coming back.
_FIRST, _LAST = 20_000, 32_000
_PATIENCE_S = 2.0


@dataclass(frozen=True)
class NodePorts:
    """Where a node listens: ``broker`` for clients, ``controller`` for the quorum's own talk."""

    broker: int
    controller: int


def choose_ports(first: int, nodes: int) -> list[NodePorts]:
    """Ports for all nodes: brokers from ``first`` on, or on any free ones if that is 0.

    Raises PortTakenError when a port that was asked for is in use.
    """
    if first:
        brokers = list(range(first, first + nodes))
        _await_free(brokers)
        controllers = _free_ports(nodes, avoid=brokers)
    else:
        free = _free_ports(2 * nodes, avoid=[])
        brokers, controllers = free[:nodes], free[nodes:]
    return [NodePorts(*pair) for pair in zip(brokers, controllers, strict=True)]


def free_port() -> int:
    """Return a port on which nobody listens now."""
    return _free_ports(1, avoid=[])[0]


def _await_free(ports: list[int]) -> None:
    """Allow a broker that was killed a moment ago the time to let go of its port."""
    deadline = time.monotonic() + _PATIENCE_S
    for port in ports:
        while not _is_free(port):
            if time.monotonic() > deadline:
                raise PortTakenError(port)
            time.sleep(0.05)


def _free_ports(count: int, avoid: list[int]) -> list[int]:
    # SystemRandom: a program that seeds ``random`` for its own sake must not choose our ports.
    found: list[int] = []
    for port in random.SystemRandom().sample(range(_FIRST, _LAST), k=1000):
        if len(found) == count:
            return found
        if port not in avoid and _is_free(port):
            found.append(port)
    raise BrokerError(f"no {count} free ports were found between {_FIRST} and {_LAST}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As Java does: connections in TIME_WAIT of an earlier broker must not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise BrokerError(f"port {port} may not be used by this user") from error
        except OSError:
            return False
        return True
