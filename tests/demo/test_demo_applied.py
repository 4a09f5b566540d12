"""Whether all is applied is asked again while Kafka cannot say it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, NotLeaderForPartitionError

from evcharge.demo import applied as module
from evcharge.demo.applied import applied
from evcharge.settings import Settings
from tests.eventually import PATIENCE_S

SETTINGS = Settings.from_env({})
AT_ONCE_S = 0.05


class Consumer:
    """A group that is behind by less at every look, in a Kafka that first has troubles."""

    troubles: list[Exception]
    behind: int
    running = 0

    def __init__(self, **settings: object) -> None:
        self.assigned: list[TopicPartition] = []

    async def start(self) -> None:
        Consumer.running += 1

    async def stop(self) -> None:
        Consumer.running -= 1

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = partitions

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        assert list(partitions) == self.assigned
        return dict.fromkeys(partitions, 3)

    async def committed(self, partition: TopicPartition) -> int | None:
        if Consumer.troubles:
            raise Consumer.troubles.pop()
        if Consumer.behind and partition == self.assigned[-1]:
            Consumer.behind -= 1
            return None
        return 3


@pytest.fixture(autouse=True)
def _group(monkeypatch: pytest.MonkeyPatch) -> None:
    Consumer.troubles, Consumer.behind, Consumer.running = [], 0, 0
    monkeypatch.setattr(module, "AIOKafkaConsumer", Consumer)
    monkeypatch.setattr(module, "_LOOK_S", 0)


async def test_all_is_applied_once_the_group_has_committed_every_end() -> None:
    Consumer.behind = 3
    assert await applied(SETTINGS, PATIENCE_S)
    assert Consumer.behind == 0


async def test_a_group_that_stays_behind_is_too_slow() -> None:
    Consumer.behind = 1 << 60
    assert not await applied(SETTINGS, AT_ONCE_S)
    assert Consumer.running == 0


@pytest.mark.parametrize(
    "trouble",
    [KafkaConnectionError(), NotLeaderForPartitionError(), AssertionError("no broker is known")],
)
async def test_a_kafka_that_has_troubles_for_a_moment_is_asked_again(trouble: Exception) -> None:
    Consumer.troubles = [trouble, trouble]
    assert await applied(SETTINGS, PATIENCE_S)
    assert Consumer.running == 0


async def test_a_kafka_whose_troubles_do_not_end_is_too_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def committed(self: Consumer, partition: TopicPartition) -> int | None:
        raise KafkaConnectionError

    monkeypatch.setattr(Consumer, "committed", committed)
    assert not await applied(SETTINGS, AT_ONCE_S)
    assert Consumer.running == 0
