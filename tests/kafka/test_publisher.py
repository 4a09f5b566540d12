"""The publisher of the commands: Java's partitions, order, acknowledgements, clear failures."""

from __future__ import annotations

import json
import socket

import pytest

from evcharge.broker import KafkaCluster
from evcharge.errors import CommandError
from evcharge.kafka.partitioning import Partitioner
from evcharge.kafka.publisher import Publisher, encode
from tests.commands.published import SESSIONS, Topics, fresh_topics


@pytest.mark.parametrize(
    ("key", "hash_value"),
    [
        # The expectations of Kafka's own test (UtilsTest.testMurmur2).
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_a_key_goes_where_kafkas_java_client_puts_it(key: str, hash_value: int) -> None:
    for partitions in (1, 8, 64):
        expected = (hash_value & 0x7FFFFFFF) % partitions
        assert Partitioner(partitions).partition_of(key) == expected


def test_json_is_compact_and_keeps_order_and_letters() -> None:
    assert encode({"b": "ü", "a": 1.5}) == '{"b":"ü","a":1.5}'.encode()


async def test_a_broker_that_is_not_there_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(CommandError, match=f"no Kafka answers at {nobody}: start one with"):
            async with Publisher([nobody]):
                pass


@pytest.mark.broker
async def test_a_missing_topic_is_one_sentence_and_is_not_created(kafka: KafkaCluster) -> None:
    topics = Topics(kafka.bootstrap)
    name = topics.settings.topic(SESSIONS)

    async with Publisher(topics.settings.bootstrap) as publisher:
        for _ in range(2):
            with pytest.raises(CommandError, match=f"the topic {name} does not exist at"):
                await publisher.send(name, "EV-1", b"{}")


@pytest.mark.broker
async def test_records_keep_their_order_in_the_partitions_of_their_keys(
    kafka: KafkaCluster,
) -> None:
    topics = await fresh_topics(kafka.bootstrap)
    keys = [f"EV-{number}" for number in range(20)]
    name = topics.settings.topic(SESSIONS)

    async with Publisher(topics.settings.bootstrap, in_flight=7) as publisher:
        for number in range(500):
            await publisher.send(name, keys[number % 20], json.dumps(number).encode())
        await publisher.flush()
        acknowledged = publisher.acknowledged

    records = await topics.records(SESSIONS)
    assert acknowledged == len(records) == 500
    for key in keys:
        of_key = [record for record in records if record.key == key.encode()]
        assert {r.partition for r in of_key} == {Partitioner(8).partition_of(key)}
        numbers = [json.loads(record.value or b"") for record in of_key]
        assert numbers == sorted(numbers)


@pytest.mark.broker
async def test_a_stated_partition_wins_and_a_record_needs_a_key_or_one(
    kafka: KafkaCluster,
) -> None:
    topics = await fresh_topics(kafka.bootstrap)
    name = topics.settings.topic(SESSIONS)

    async with Publisher(topics.settings.bootstrap) as publisher:
        await publisher.send(name, None, b"junk", partition=5)
        await publisher.send(name, "EV-1", None, partition=6)
        with pytest.raises(ValueError, match="without a key needs a partition"):
            await publisher.send(name, None, b"junk")
        await publisher.flush()

    found = [(r.partition, r.key, r.value) for r in await topics.records(SESSIONS)]
    assert found == [(5, None, b"junk"), (6, b"EV-1", None)]


@pytest.mark.broker
async def test_a_record_that_kafka_refuses_is_one_sentence(kafka: KafkaCluster) -> None:
    topics = await fresh_topics(kafka.bootstrap)

    async with Publisher(topics.settings.bootstrap) as publisher:
        with pytest.raises(CommandError, match=r"refused a record .*; 0 records were"):
            await publisher.send(topics.settings.topic(SESSIONS), "EV-1", b"x" * 2_000_000)


@pytest.mark.broker
async def test_a_broker_that_falls_silent_ends_the_wait() -> None:
    with KafkaCluster(port=0) as own:
        topics = await fresh_topics(own.bootstrap)
        name = topics.settings.topic(SESSIONS)
        async with Publisher(topics.settings.bootstrap, silence_s=2) as publisher:
            await publisher.send(name, "EV-1", b"{}")
            await publisher.flush()
            own.pause(1)
            await publisher.send(name, "EV-1", b"{}")
            with pytest.raises(CommandError, match=r"acknowledged nothing for 2 s; 1 records were"):
                await publisher.flush()
            own.resume(1)
