"""Several changelogs are taken over at once: what becomes of the others when one is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from aiokafka.structs import TopicPartition

from evcharge.engine.changelog_reader import Stores
from evcharge.engine.changelogs import Changelogs
from evcharge.kafka.last_transaction import ForgottenEndError
from evcharge.kafka.log import Output, Row
from evcharge.storage.partition_store import MemoryPartition
from tests.eventually import eventually_async

REFUSED, SLOW = TopicPartition("changelog", 0), TopicPartition("changelog", 1)


class FakeReader:
    """All changelogs are empty."""

    async def bounds(self, stores: Stores) -> tuple[Mapping[Any, int], Mapping[Any, int]]:
        return dict.fromkeys(stores, 0), dict.fromkeys(stores, 0)


class FakeWriter:
    """Takes over after a while, or is refused at once."""

    def __init__(self, refused: Exception | None) -> None:
        self._refused = refused
        self.go_on = asyncio.Event()
        self.has_taken_over = False

    async def take_over(self, rows: Sequence[Row]) -> int:
        if self._refused is not None:
            raise self._refused
        await self.go_on.wait()
        self.has_taken_over = True
        return 0

    async def write(self, rows: Iterable[Row], outputs: Sequence[Output]) -> int:
        raise AssertionError


async def test_a_take_over_that_is_refused_is_told_of_and_lets_the_others_finish_theirs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    changelogs = Changelogs([], "test", lambda *_: None)
    changelogs._reader = FakeReader()  # type: ignore[assignment]
    writers = {
        REFUSED: FakeWriter(ForgottenEndError("lane-0", [REFUSED])),
        SLOW: FakeWriter(None),
    }
    stores = {tp: MemoryPartition() for tp in writers}
    taking = asyncio.create_task(
        changelogs.take_over(stores, writers, lambda _: None, lambda _: None)
    )
    await eventually_async(lambda: caplog.messages)
    assert caplog.messages[0].startswith("changelog/0 cannot be taken over: a former transaction")
    assert not taking.done()
    writers[SLOW].go_on.set()
    with pytest.raises(ForgottenEndError):
        await taking
    assert writers[SLOW].has_taken_over
