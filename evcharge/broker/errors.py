"""What the embedded broker raises.

::

    BrokerError            the broker cannot be started or does not go on; the text says why
    └── PortTakenError     a port is in use by somebody else

A branch of the tree in ``evcharge.errors``.
"""

from evcharge.errors import EvchargeError


class BrokerError(EvchargeError):
    """The embedded broker cannot do what was asked; ``str(error)`` is one sentence for a person."""


class PortTakenError(BrokerError):
    """A port that the broker needs is in use; worth another try if the port was free to choose."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} on 127.0.0.1 is already in use: "
            "stop what listens there or choose another with --port"
        )
        self.port = port
