"""Topics that metadata does not name: deleted ones owe nothing, others count as silent."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NodeNotReadyError, UnknownTopicOrPartitionError
from aiokafka.structs import TopicPartition

from evcharge.kafka.admin import KafkaAdmin, NewTopic
from evcharge.kafka.inherited_ends import InheritedEnds
from evcharge.kafka.log import Output
from evcharge.kafka.missing_topics import missing_topics
from evcharge.kafka.partition_ends import ALL
from evcharge.kafka.wire import Wire
from tests.eventually import PATIENCE_S, eventually_async
from tests.kafka.forgetful import Place

UNKNOWN = UnknownTopicOrPartitionError.errno


class Brokers(Wire):
    """Brokers that answer what they know of the topic ``outputs``, each an error or a code."""

    def __init__(self, *answers: Any) -> None:
        super().__init__([], "test")
        self._answers = answers
        brokers = [SimpleNamespace(nodeId=number) for number in range(len(answers))]
        self._client = SimpleNamespace(
            cluster=SimpleNamespace(
                brokers=lambda: brokers, leader_for_partition=lambda _: None, _partitions={}
            )
        )

    async def partitions(self, topics: Any) -> set[TopicPartition]:
        return set()

    async def send(self, node: int, request: Any, group: Any = None) -> Any:
        answer = self._answers[node]
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(topics=[(answer, "outputs", False, [])])


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        ([UNKNOWN, UNKNOWN], {"outputs"}),
        ([UNKNOWN, 0], set()),
        ([UNKNOWN, NodeNotReadyError()], set()),
        ([], set()),
    ],
)
async def test_a_topic_is_missing_if_all_brokers_say_so(
    answers: list[Any], missing: set[str]
) -> None:
    assert await missing_topics(Brokers(*answers), ["outputs"]) == missing


async def test_outputs_that_metadata_does_not_name_count_as_silent() -> None:
    # As after an update that has failed, or that was under way already.
    inherited = InheritedEnds(Brokers(0), ["outputs"])
    everywhere = await inherited.everywhere(TopicPartition("changelog", 0))
    assert everywhere == {TopicPartition("changelog", 0), TopicPartition("outputs", ALL)}
    look = await inherited.look([TopicPartition("outputs", ALL)])
    assert look.silent == {TopicPartition("outputs", ALL)}


@pytest.mark.broker
async def test_outputs_that_become_known_later_are_looked_at_then(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evcharge.kafka.inherited_ends.SILENCE_S", 0.0)
    await place.write_unmarked(b"1")
    partitions = place.wire.partitions

    async def without_outputs(topics: Any) -> set[TopicPartition]:
        return {tp for tp in await partitions(topics) if tp.topic != place.outputs}

    monkeypatch.setattr(place.wire, "partitions", without_outputs)
    owner = place.another_writer()
    await owner.take_over([(b"fence", b"2")])
    assert owner._succession.in_the_way([TopicPartition(place.outputs, 1)])
    monkeypatch.undo()
    await place.kept_up(owner)
    assert await place.produced() == [b"1"]


@pytest.mark.broker
async def test_what_was_cut_short_in_a_topic_that_was_deleted_holds_up_nobody(place: Place) -> None:
    name = f"{place.outputs}-deleted"
    async with KafkaAdmin(place.bootstrap) as admin:
        await admin.create([NewTopic(name, 1, 1, {})])
        await place.cut_short(*place.everywhere(), TopicPartition(name, 0))
    client = AIOKafkaAdminClient(bootstrap_servers=place.bootstrap)
    await client.start()
    await client.delete_topics([name])
    await client.close()

    async def is_missing() -> bool:
        return await missing_topics(place.wire, [name]) == {name}

    # Kafka deletes in the background.
    await eventually_async(is_missing)
    owner = place.another_writer()
    async with asyncio.timeout(PATIENCE_S):
        await owner.take_over([(b"fence", b"2")])
        await owner.write([(b"a", b"2")], [Output(place.outputs, 0, b"k", b"2")])
    assert await place.produced() == [b"2"]
