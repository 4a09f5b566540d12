"""Asks a Kafka node over its own protocol which brokers are alive.

A TCP connect proves little: the port listens before the broker is a member of its cluster, and
after a start on somebody else's port. A Metadata answer names the cluster and the brokers that its
controller holds for alive. Hand-made, because it is one request with one fixed-layout answer and a
client library would bring its own retries, threads and event loop.
"""

import socket
import struct
from dataclasses import dataclass

from evcharge.broker.ports import HOST

_METADATA, _VERSION, _CORRELATION = 3, 2, 7
_NO_CLIENT_ID, _NO_TOPICS = -1, 0


@dataclass(frozen=True)
class ClusterView:
    """What one node says about its cluster."""

    cluster_id: str | None
    alive: frozenset[int]


def ask(port: int, timeout: float) -> ClusterView | None:
    """The view of the node on that port; None if it gives no whole answer within ``timeout`` s."""
    try:
        with socket.create_connection((HOST, port), timeout) as connection:
            connection.settimeout(timeout)
            header = struct.pack(">hhih", _METADATA, _VERSION, _CORRELATION, _NO_CLIENT_ID)
            request = header + struct.pack(">i", _NO_TOPICS)
            connection.sendall(struct.pack(">i", len(request)) + request)
            with connection.makefile("rb") as stream:
                (length,) = struct.unpack(">i", stream.read(4))
                return _decode(stream.read(length))
    except (OSError, struct.error, ValueError):
        # Refused, cut off or not Kafka: all of them mean "not yet".
        return None


def _decode(answer: bytes) -> ClusterView:
    """Metadata response, version 2: correlation id, brokers, cluster id, … (the rest is unused)."""
    fields = _Fields(answer)
    if fields.number(">i") != _CORRELATION:
        raise ValueError("an answer to another request")
    alive = set()
    for _ in range(fields.number(">i")):
        alive.add(fields.number(">i"))
        fields.text()  # host
        fields.number(">i")  # port
        fields.text()  # rack
    return ClusterView(fields.text(), frozenset(alive))


class _Fields:
    """Reads Kafka's primitive types one after the other; struct.error past the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, layout: str) -> int:
        value: int = struct.unpack_from(layout, self._data, self._at)[0]
        self._at += struct.calcsize(layout)
        return value

    def text(self) -> str | None:
        length = self.number(">h")
        if length < 0:
            return None
        self._at += length
        return self._data[self._at - length : self._at].decode()
