"""The catalogue of topics, and how a deployment's topics come to exist."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from evcharge.broker import KafkaCluster
from evcharge.kafka.admin import (
    KafkaAdmin,
    KafkaUnreachableError,
    NewTopic,
    TopicCreationError,
    TopicState,
)
from evcharge.settings import Settings
from evcharge.topics import (
    CATALOGUE,
    Cleanup,
    Difference,
    PartitionMismatchError,
    Writer,
    changelog_topic,
    deployment_topics,
    ensure_topics,
)
from evcharge.topics.catalogue import ALERTS, DAY_MS, STATION_STATUS, STATIONS
from evcharge.topics.setup import compare


def deployment(kafka: KafkaCluster, **settings: object) -> Settings:
    """A deployment of its own on the shared broker."""
    name = f"t{uuid.uuid4().hex[:8]}."
    return replace(
        Settings(broker=f"kafka://{kafka.bootstrap}", topic_prefix=name, partitions=2),
        **settings,  # type: ignore[arg-type]
    )


def found(topic_settings: Mapping[str, str], partitions: int = 8) -> TopicState:
    return TopicState(partitions=partitions, replication=1, ready=True, config=topic_settings)


# ---- the catalogue


def test_the_catalogue_is_the_contracts_table() -> None:
    contract = {
        "station-status": ("station_id", "devices", DAY_MS),
        "charging-sessions": ("station_id", "devices", 400 * DAY_MS),
        "stations": ("station_id", "operator", None),
        "tariffs": ("tariff_id", "operator", None),
        "sealed-sessions": ("station_id", "evcharge", None),
        "invoices": ("station_id", "evcharge", None),
        "reservations": ("station_id", "evcharge", None),
        "alerts": ("station_id", "evcharge", 400 * DAY_MS),
        "work-orders": ("station_id", "evcharge", None),
        "dead-letters": ("original key", "evcharge", 400 * DAY_MS),
    }
    topics = {
        topic.name: (topic.key, topic.writer.value, topic.retention_ms) for topic in CATALOGUE
    }
    assert {name: topics[name] for name in contract} == contract
    assert all(t.cleanup is Cleanup.DELETE for t in CATALOGUE if t.name in contract)


def test_the_rerouted_topics_keep_records_as_long_as_their_sources() -> None:
    topics = {topic.name: topic for topic in CATALOGUE}
    for source in ("station-status", "charging-sessions"):
        rerouted = topics[f"{source}-rerouted"]
        assert rerouted.retention_ms == topics[source].retention_ms
        assert rerouted.writer is Writer.EVCHARGE
        # a device record of the largest size fits with the headers that say where it came from
        assert rerouted.max_record_bytes > topics[source].max_record_bytes


def test_every_topic_has_append_time_and_a_limit_of_its_own() -> None:
    settings = Settings(replication=3)
    for topic in deployment_topics(settings):
        config = topic.config(settings)
        assert config["message.timestamp.type"] == "LogAppendTime"
        assert config["min.insync.replicas"] == "2"
        assert config["max.message.bytes"] == str(topic.max_record_bytes)


def test_unlimited_retention_is_unlimited_in_time_and_bytes() -> None:
    config = STATIONS.config(Settings())
    assert (config["retention.ms"], config["retention.bytes"]) == ("-1", "-1")


def test_only_the_reference_data_and_the_redrive_marks_have_one_partition() -> None:
    settings = Settings(partitions=16)
    single = {t.name for t in deployment_topics(settings) if t.partitions(settings) != 16}
    assert single == {"stations", "tariffs", "dead-letters-redriven"}


def test_a_dead_letter_takes_the_largest_record_of_others_with_its_headers() -> None:
    topics = {topic.name: topic for topic in CATALOGUE}
    for read in ("station-status", "charging-sessions", "session-decisions"):
        # names of headers that are no UTF-8 become four times as long
        assert topics["dead-letters"].max_record_bytes > 5 * topics[read].max_record_bytes


def test_a_changelog_is_compacted_and_named_as_faust_names_it() -> None:
    topic = changelog_topic(Settings(app_id="north"), "station-status")
    assert topic.name == "north-station-status-changelog"
    assert topic.config(Settings())["cleanup.policy"] == "compact"
    assert "retention.ms" not in topic.config(Settings())


def test_the_longest_prefix_and_application_make_names_that_kafka_takes() -> None:
    longest = Settings.from_env({"EVCHARGE_APP_ID": "a" * 100, "EVCHARGE_TOPIC_PREFIX": "p" * 100})
    assert max(len(longest.topic(t.name)) for t in deployment_topics(longest)) <= 249


# ---- differences


def test_a_topic_as_it_would_be_created_has_no_differences() -> None:
    settings = Settings()
    assert compare("x", ALERTS, settings, found(ALERTS.config(settings))) == ()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("retention.ms", "1000"),
        ("cleanup.policy", "compact"),
        ("message.timestamp.type", "CreateTime"),
        ("max.message.bytes", "1000"),
        ("min.insync.replicas", "2"),
    ],
)
def test_each_setting_that_differs_is_a_difference(setting: str, value: str) -> None:
    settings = Settings()
    expected = ALERTS.config(settings)
    assert compare("x", ALERTS, settings, found({**expected, setting: value})) == (
        Difference("x", setting, expected[setting], value),
    )


def test_another_number_of_copies_is_a_difference() -> None:
    settings = Settings(replication=3, min_insync=1)
    assert compare("x", ALERTS, settings, found(ALERTS.config(settings))) == (
        Difference("x", "replication", "3", "1"),
    )


async def test_an_absent_kafka_is_one_sentence_within_the_time_given(unused_tcp_port: int) -> None:
    settings = Settings(broker=f"kafka://127.0.0.1:{unused_tcp_port}")
    async with asyncio.timeout(5):
        with pytest.raises(KafkaUnreachableError, match=r"EVCHARGE_BROKER.*within 0\.5 s"):
            await ensure_topics(settings, timeout_s=0.5)


# ---- on Kafka


@pytest.mark.broker
async def test_missing_topics_are_created_as_the_catalogue_says(kafka: KafkaCluster) -> None:
    settings = deployment(kafka)

    report = await ensure_topics(settings)

    assert set(report.created) == {settings.topic(t.name) for t in deployment_topics(settings)}
    assert report.differences == ()
    # asked anew, Kafka says the same
    again = await ensure_topics(settings)
    assert (again.created, again.differences) == ((), ())
    assert [t.name for t in again.topics] == list(report.created)


@pytest.mark.broker
async def test_two_workers_that_start_at_once_do_each_other_no_harm(kafka: KafkaCluster) -> None:
    settings = deployment(kafka)
    reports = await asyncio.gather(ensure_topics(settings), ensure_topics(settings))
    created = sorted(name for report in reports for name in report.created)
    assert created == sorted(settings.topic(t.name) for t in deployment_topics(settings))
    assert [report.differences for report in reports] == [(), ()]


@pytest.mark.broker
async def test_records_carry_the_brokers_append_time(kafka: KafkaCluster) -> None:
    settings = deployment(kafka)
    await ensure_topics(settings, only=[STATION_STATUS])
    partition = TopicPartition(settings.topic("station-status"), 0)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        await producer.send_and_wait(partition.topic, b"{}", partition=0, timestamp_ms=1_000)
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap) as consumer:
        consumer.assign([partition])
        consumer.seek(partition, 0)
        record = await asyncio.wait_for(consumer.getone(), 20)
    assert record.timestamp_type == 1
    assert record.timestamp > 1_600_000_000_000


@pytest.mark.broker
async def test_an_existing_topic_is_reported_and_never_changed(kafka: KafkaCluster) -> None:
    # given a topic that somebody made by hand
    settings = deployment(kafka)
    name = settings.topic("station-status")
    async with KafkaAdmin(settings.bootstrap) as admin:
        config = {"retention.ms": "1000", "message.timestamp.type": "CreateTime"}
        await admin.create([NewTopic(name, 2, 1, config)])
    # when the topics are made, twice
    first = await ensure_topics(settings)
    second = await ensure_topics(settings)
    # then its differences are told each time
    assert Difference(name, "retention.ms", str(DAY_MS), "1000") in first.differences
    assert Difference(name, "message.timestamp.type", "LogAppendTime", "CreateTime") in (
        first.differences
    )
    assert second.differences == first.differences
    assert name not in first.created


@pytest.mark.broker
async def test_another_number_of_partitions_is_refused_and_nothing_created(
    kafka: KafkaCluster,
) -> None:
    settings = deployment(kafka)
    await ensure_topics(settings, only=[STATION_STATUS])

    with pytest.raises(PartitionMismatchError) as refused:
        await ensure_topics(replace(settings, partitions=4))

    name = settings.topic("station-status")
    assert str(refused.value).startswith(f"the topic {name} has 2 partition(s), expected 4: ")
    assert [topic.name for topic in refused.value.existing.topics] == [name]
    async with KafkaAdmin(settings.bootstrap) as admin:
        everything = [settings.topic(t.name) for t in deployment_topics(settings)]
        assert set(await admin.describe(everything)) == {name}


@pytest.mark.broker
async def test_reference_data_in_more_than_one_partition_are_refused(kafka: KafkaCluster) -> None:
    settings = deployment(kafka)
    async with KafkaAdmin(settings.bootstrap) as admin:
        await admin.create([NewTopic(settings.topic("stations"), 2, 1, {})])
    with pytest.raises(PartitionMismatchError, match=r"stations has 2 partition\(s\), expected 1"):
        await ensure_topics(settings)


@pytest.mark.broker
async def test_more_copies_than_brokers_are_one_sentence(kafka: KafkaCluster) -> None:
    settings = deployment(kafka, replication=2)
    with pytest.raises(TopicCreationError, match=r"EVCHARGE_REPLICATION=2 .* has 1 broker"):
        await ensure_topics(settings)


@pytest.mark.broker
async def test_asking_about_a_missing_topic_does_not_create_it(kafka: KafkaCluster) -> None:
    settings = deployment(kafka)
    name = settings.topic("station-status")
    async with KafkaAdmin(settings.bootstrap) as admin:
        assert await admin.describe([name]) == {}
        assert await admin.describe([name]) == {}
