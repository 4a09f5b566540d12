"""The headers of a dead letter: why it was rejected and where it was, as text in UTF-8.

Ours come after the record's own headers. Where a device used one of our names, the last one of that
name is ours, so both survive, and taking ours off again restores what the device sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

REASON = "reason"
DETAIL = "detail"
TOPIC = "topic"
PARTITION = "partition"
OFFSET = "offset"
NAMES = (REASON, DETAIL, TOPIC, PARTITION, OFFSET)

_MAX_DETAIL = 1_000


class DeadLetterOrigin(NamedTuple):
    """What the headers say; ``None`` is what they do not say (or not legibly)."""

    reason: str | None
    detail: str | None
    topic: str | None
    """Full name of the topic that the record was in."""
    partition: int | None
    offset: int | None
    headers: tuple[tuple[str, bytes | None], ...]
    """The headers that the record came with."""


def dead_letter_headers(
    reason: str,
    detail: str,
    topic: str,
    partition: int,
    offset: int,
    headers: Iterable[tuple[str, bytes | None]] = (),
) -> list[tuple[str, bytes | None]]:
    """Return the headers of a dead letter; ``headers`` are those that the record came with.

    A detail may quote what was received: it is cut to 1,000 characters and may contain anything.
    """
    return [
        *headers,
        (REASON, str(reason).encode()),
        (DETAIL, detail[:_MAX_DETAIL].encode(errors="backslashreplace")),
        (TOPIC, topic.encode()),
        (PARTITION, str(partition).encode()),
        (OFFSET, str(offset).encode()),
    ]


def parse_headers(headers: Iterable[tuple[str, bytes | None]]) -> DeadLetterOrigin:
    """Read the headers of a dead letter; whatever somebody wrote there, this never raises.

    That includes null, which aiokafka passes on as the value of a header.
    """
    ours: dict[str, bytes | None] = {}
    theirs: list[tuple[str, bytes | None]] = []
    for name, value in reversed(list(headers)):
        if name in NAMES and name not in ours:
            ours[name] = value
        else:
            theirs.append((name, value))
    return DeadLetterOrigin(
        reason=_text(ours.get(REASON)),
        detail=_text(ours.get(DETAIL)),
        topic=_text(ours.get(TOPIC)),
        partition=_number(ours.get(PARTITION)),
        offset=_number(ours.get(OFFSET)),
        headers=tuple(reversed(theirs)),
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")


def _number(value: bytes | None) -> int | None:
    if value is None or not re.fullmatch(rb"[0-9]{1,18}", value):
        return None
    return int(value)
