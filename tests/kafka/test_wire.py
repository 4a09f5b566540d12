"""What brokers answer, and what a worker makes of it: answers that a real broker seldom gives."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import errors as kafka_errors
from aiokafka.structs import TopicPartition

from evcharge.kafka import waiting
from evcharge.kafka.wire import OvertakenError, Wire

TP = TopicPartition("changelog", 0)


class AnsweringWire(Wire):
    """Answers each request itself: the next of its answers, or the error that stands there."""

    def __init__(self, *answers: Any) -> None:
        super().__init__([], "test")
        self.answers = list(answers)
        self._client = SimpleNamespace(
            cluster=SimpleNamespace(
                leader_for_partition=lambda _: 1,
                partitions_for_topic=lambda _: {0},
                brokers=lambda: {1},
            )
        )

    async def _coordinator(self, transactional_id: str) -> int:
        return 1

    async def send(self, node: int, request: Any, group: Any = None) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def code(error: type[kafka_errors.BrokerResponseError]) -> SimpleNamespace:
    return SimpleNamespace(error_code=error.errno)


async def coordinated(wire: Wire) -> Any:
    return await wire.coordinate("lane-0", object(), lambda answer: [answer.error_code])


async def test_a_producer_that_kafka_has_forgotten_is_told_from_one_that_was_overtaken() -> None:
    with pytest.raises(OvertakenError, match=r"forgotten the producer of lane-0 .*MAPPING.*anew"):
        await coordinated(AnsweringWire(code(kafka_errors.InvalidProducerIdMapping)))
    with pytest.raises(OvertakenError, match=r"lane-0 has been taken over by another worker"):
        await coordinated(AnsweringWire(code(kafka_errors.InvalidProducerEpoch)))


async def test_a_coordinator_that_does_not_agree_is_waited_for_and_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waiting, "FIRST_S", 0.0)
    busy, agreed = (code(kafka_errors.ConcurrentTransactions), code(kafka_errors.NoError))
    wire = AnsweringWire(busy, busy, agreed)
    assert await coordinated(wire) is agreed
    assert [text.split(" since")[0] for text in caplog.messages] == [
        "waiting for the coordinator of lane-0 to agree"
    ]


async def test_a_partition_that_has_no_leader_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waiting, "FIRST_S", 0.0)
    wire = AnsweringWire()
    leaders = iter([-1, -1, 1])

    async def nothing() -> None: ...

    wire._client = SimpleNamespace(
        cluster=SimpleNamespace(leader_for_partition=lambda _: next(leaders)),
        add_topic=lambda _: None,
        force_metadata_update=nothing,
    )
    assert await wire.leader(TP) == 1
    assert caplog.messages[0].startswith("waiting for a leader of changelog/0 since")
