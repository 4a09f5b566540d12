"""The program, with writes of rows that are never answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import evcharge
from evcharge.kafka.fenced_writer import FencedWriter
from evcharge.kafka.log import Output, Row


async def _write(self: FencedWriter, rows: Iterable[Row], outputs: Sequence[Output]) -> int:
    await asyncio.Event().wait()
    raise AssertionError


if __name__ == "__main__":
    FencedWriter.write = _write  # type: ignore[method-assign]
    evcharge.app.main()
