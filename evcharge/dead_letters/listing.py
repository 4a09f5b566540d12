"""Finds dead letters for a person to look at, and writes them so that no byte can do harm."""

from __future__ import annotations

import base64
import heapq
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from evcharge.dead_letters.letter import DeadLetter, Selection
from evcharge.kafka.scan import Scan
from evcharge.settings import Settings
from evcharge.topics.catalogue import DEAD_LETTERS

PREVIEW_CHARACTERS = 120
_UNITS = (("MiB", 1 << 20), ("KiB", 1 << 10))


async def latest(
    settings: Settings,
    selection: Selection,
    limit: int,
    show: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[DeadLetter]:
    """Return the newest ``limit`` dead letters that are meant, oldest first.

    Kafka's append times are milliseconds: within one, partitions come by number.

    Raises:
        EvchargeError: Kafka cannot be reached, or stopped answering.
    """
    newest: list[tuple[int, int, int, DeadLetter]] = []
    async with Scan(settings.bootstrap, settings.topic(DEAD_LETTERS.name)) as scan:
        starts = dict(scan.begins)
        if selection == Selection():
            # Nothing further back can be among the newest.
            starts = {p: max(begin, scan.ends[p] - limit) for p, begin in starts.items()}
        total = sum(scan.ends[p] - start for p, start in starts.items())
        looked_at = 0
        async for _, records in scan.batches(starts):
            for letter in map(DeadLetter.of, records):
                if selection.matches(letter):
                    entry = (letter.append_ms, letter.partition, letter.offset, letter)
                    (heapq.heappush if len(newest) < limit else heapq.heappushpop)(newest, entry)
            looked_at += len(records)
            show(looked_at, total)
    return [entry[-1] for entry in sorted(newest)]


def as_text(letter: DeadLetter) -> str:
    """Return a dead letter as three lines: facts, detail, beginning of its value."""
    origin = letter.origin
    facts = [
        _time(letter).replace("T", " "),
        safe(origin.reason or "no reason"),
        f"{safe(origin.topic or 'unknown topic')} {_known(origin.partition)}:{_known(origin.offset)}",
        f"dead letter {letter.partition}:{letter.offset}",
        "no key" if letter.key is None else f"key {preview(letter.key, 64)}",
        "no value" if letter.value is None else _size(len(letter.value)),
    ]
    lines = ["  ".join(facts)]
    if origin.detail:
        lines.append(f"    {safe(origin.detail)}")
    if letter.value:
        lines.append(f"    {preview(letter.value)}")
    return "\n".join(lines)


def as_json(letter: DeadLetter) -> dict[str, Any]:
    """Return a dead letter for programs, with all of its bytes."""
    return {
        "time": _time(letter),
        "reason": letter.origin.reason,
        "detail": letter.origin.detail,
        "topic": letter.origin.topic,
        "partition": letter.origin.partition,
        "offset": letter.origin.offset,
        "dead_letter": {"partition": letter.partition, "offset": letter.offset},
        "headers": [[name, _base64(value)] for name, value in letter.origin.headers],
        "key_base64": _base64(letter.key),
        "value_base64": _base64(letter.value),
    }


def preview(data: bytes, characters: int = PREVIEW_CHARACTERS) -> str:
    """Return the beginning of bytes as text that a terminal can show."""
    # Four bytes are the longest character; one cut in half at the end would look like junk.
    cut = data[: 4 * characters]
    text = safe(cut.decode(errors="backslashreplace"))
    return text if len(data) == len(cut) and len(text) <= characters else text[:characters] + "…"


def safe(text: str) -> str:
    """Escape what is not printable: control characters, marks that turn the writing direction."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _time(letter: DeadLetter) -> str:
    try:
        instant = datetime.fromtimestamp(letter.append_ms / 1_000, UTC)
    except (ValueError, OverflowError, OSError):
        # Not a broker's clock: somebody made the topic without LogAppendTime.
        return f"{letter.append_ms} ms"
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _known(number: int | None) -> str:
    return "?" if number is None else str(number)


def _size(size: int) -> str:
    for unit, scale in _UNITS:
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode("ascii")
