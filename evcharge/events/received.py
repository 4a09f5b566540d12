"""What a decoder needs to know of a record beside its value."""

from typing import Protocol


class Received(Protocol):
    """A record as it was first appended to its topic; a forwarded one keeps its first place and time."""

    @property
    def value(self) -> bytes | None:
        """The untouched bytes."""
        ...

    @property
    def timestamp(self) -> int:
        """Ingest time: the broker's append time in Kafka's milliseconds since 1970."""
        ...

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...
