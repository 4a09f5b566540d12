"""What brokers answer, and what a worker makes of it: answers that a real broker seldom gives."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import errors as kafka_errors
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.structs import TopicPartition

from evcharge.kafka import waiting
from evcharge.kafka.describing import DescribeProducers, DescribeTransactions
from evcharge.kafka.inherited_ends import InheritedEnds, Look, TransactionsUntoldError
from evcharge.kafka.last_transaction import ForgottenEndError
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
                brokers=lambda: [SimpleNamespace(nodeId=1)],
                _partitions={},
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
    asked = 0

    async def ask() -> None:
        nonlocal asked
        asked += 1

    busy, agreed = (code(kafka_errors.ConcurrentTransactions), code(kafka_errors.NoError))
    wire = AnsweringWire(busy, busy, agreed)
    answer = await wire.coordinate("lane-0", object(), lambda each: [each.error_code], ask)
    assert answer is agreed
    assert asked == 2
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


@pytest.mark.parametrize("request_", [DescribeTransactions("lane-0"), DescribeProducers([])])
def test_a_broker_that_is_too_old_is_noticed_when_it_is_asked(request_: Any) -> None:
    with pytest.raises(IncompatibleBrokerVersion):
        request_.prepare({0: (0, 1)})


async def test_without_what_kafka_tells_of_transactions_nobody_takes_over() -> None:
    too_old = IncompatibleBrokerVersion("too old")
    forbidden = kafka_errors.TransactionalIdAuthorizationFailed.errno
    refused = SimpleNamespace(transactions=[(forbidden, "lane-0", "", 0, 0, -1, 0, [])])
    for answer in (too_old, refused):
        with pytest.raises(TransactionsUntoldError, match=r"3\.0 or newer, and .* Describe on"):
            await InheritedEnds(AnsweringWire(answer)).last_transaction("lane-0")


async def test_without_what_leaders_tell_of_producers_nobody_takes_over() -> None:
    ends, visible = (
        SimpleNamespace(topics=[("changelog", [(0, 0, 0, offset)])]) for offset in (2, 1)
    )
    forbidden = kafka_errors.TopicAuthorizationFailedError.errno
    refused = SimpleNamespace(topics=[("changelog", [(0, forbidden, None, [], {})], {})])
    for answer in (IncompatibleBrokerVersion("too old"), refused):
        inherited = InheritedEnds(AnsweringWire(ends, visible, answer))
        with pytest.raises(TransactionsUntoldError, match=r"Read on the topics"):
            await inherited.look([TP])


async def test_a_leader_that_hangs_or_is_gone_does_not_hold_up_what_others_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("evcharge.kafka.partition_ends.ANSWER_S", 0.01)
    answers = {1: SimpleNamespace(topics=[("changelog", [(0, 0, 0, 5)])])}
    wire = AnsweringWire()
    wire.client.cluster.leader_for_partition = lambda tp: tp.partition + 1

    async def send(node: int, request: Any, group: Any = None) -> Any:
        if node == 2:
            raise kafka_errors.NodeNotReadyError
        if node == 3:
            await asyncio.Event().wait()
        return answers[node]

    monkeypatch.setattr(wire, "send", send)
    look = await InheritedEnds(wire).look([TopicPartition("changelog", n) for n in range(3)])
    assert set(look.producers) == {TP}
    assert {tp.partition for tp in look.silent} == {1, 2}


async def test_a_changelog_with_a_transaction_of_a_forgotten_producer_is_for_a_person_to_decide() -> (
    None
):
    unknown = SimpleNamespace(transactions=[(105, "lane-0", "", 0, 0, -1, 0, [])])
    ends, visible = (
        SimpleNamespace(topics=[("changelog", [(0, 0, 0, offset)])]) for offset in (2, 1)
    )
    producers = SimpleNamespace(
        topics=[("changelog", [(0, 0, None, [(9, 0, 0, 0, 0, 1, {})], {})], {})]
    )
    inherited = InheritedEnds(AnsweringWire(unknown, ends, visible, producers))
    with pytest.raises(ForgottenEndError, match=r"lane-0 is open in changelog/0"):
        await inherited.before_take_over("lane-0", TP, None)


@pytest.mark.parametrize(("replicas", "one"), [([1], True), ([1, 2, 3], False)])
async def test_times_are_of_one_clock_only_if_there_is_no_broker_that_is_dead_either(
    replicas: list[int], one: bool
) -> None:
    wire = AnsweringWire(
        SimpleNamespace(transactions=[(0, "lane-0", "CompleteAbort", 0, 5, 7, 0, [], {})])
    )
    wire.client.cluster._partitions = {"changelog": {0: SimpleNamespace(replicas=replicas)}}
    assert (await InheritedEnds(wire).last_transaction("lane-0")).one_clock is one


async def test_a_look_that_fails_is_shared_with_nobody() -> None:
    class Failing(InheritedEnds):
        async def look(self, tps: Any) -> Look:
            await asyncio.sleep(0)
            raise TransactionsUntoldError("too old")

    inherited = Failing(AnsweringWire())
    looks = [asyncio.create_task(inherited._shared_look(TP)) for _ in range(3)]
    outcomes = await asyncio.gather(*looks, return_exceptions=True)
    assert [type(each) for each in outcomes] == [TransactionsUntoldError] * 3
