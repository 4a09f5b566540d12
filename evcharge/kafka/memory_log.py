"""A log in memory, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evcharge.kafka.log import Output, Row


class MemoryLog:
    """Keeps what was appended."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.changelogs: dict[tuple[str, int], list[Row]] = {}

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def writer(self, topic: str, partition: int) -> MemoryWriter:
        return MemoryWriter(self.changelogs.setdefault((topic, partition), []), self.outputs)


class MemoryWriter:
    """Appends to lists."""

    def __init__(self, changelog: list[Row], outputs: list[Output]) -> None:
        self._changelog = changelog
        self._outputs = outputs

    async def take_over(self, rows: Sequence[Row]) -> int:
        return await self.write(rows, [])

    async def write(self, rows: Iterable[Row], outputs: Sequence[Output]) -> int:
        self._outputs.extend(outputs)
        self._changelog.extend(rows)
        return len(self._changelog) - 1
