"""One dead letter as it is read back, and which of them a person asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

from aiokafka import ConsumerRecord

from evcharge.dead_letters.headers import DeadLetterOrigin, parse_headers


class DeadLetter(NamedTuple):
    """A record of ``dead-letters``: where it is, why it is there, and the untouched bytes."""

    partition: int
    offset: int
    append_ms: int
    """When it was rejected: the append time in milliseconds."""
    origin: DeadLetterOrigin
    key: bytes | None
    value: bytes | None

    @classmethod
    def of(cls, record: ConsumerRecord) -> Self:
        """Return a consumed record as a dead letter."""
        return cls(
            record.partition,
            record.offset,
            record.timestamp,
            parse_headers(record.headers),
            record.key,
            record.value,
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant; ``None`` means any."""

    reason: str | None = None
    topic: str | None = None
    """Full name of the source topic."""

    def matches(self, letter: DeadLetter) -> bool:
        """Whether a dead letter is meant."""
        return self.reason in {None, letter.origin.reason} and self.topic in {
            None,
            letter.origin.topic,
        }
