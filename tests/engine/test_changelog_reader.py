"""What is read of changelogs goes to the stores of their partitions."""

from __future__ import annotations

from aiokafka.structs import TopicPartition
from faust.types import TP

from evcharge.engine.changelog_reader import ChangelogReader
from evcharge.engine.chunk import FirstArrival
from evcharge.engine.intake import Taken
from evcharge.storage.partition_store import MemoryPartition

CHANGELOG = TopicPartition("changelog", 3)


async def test_a_fetch_without_a_record_for_readers_is_passed() -> None:
    reader, store = ChangelogReader([], "test"), MemoryPartition()
    aborted = Taken(TP(*CHANGELOG), [], 0, 5, 9)
    row = FirstArrival(b"Sa", b"1", 1_000, CHANGELOG.partition, 9)
    fetched = iter([aborted, Taken(TP(*CHANGELOG), [row], 300, 9, 10), aborted])

    async def take() -> Taken | None:
        return next(fetched, None)

    reader._take = take  # type: ignore[method-assign]

    assert await reader.apply({CHANGELOG: store}) == 1
    assert (store.get(b"Sa"), store.changelog_offset()) == (b"1", 9)
